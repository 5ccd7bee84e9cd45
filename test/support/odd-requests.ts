/**
 * Requests that two readers could take for two different ones, or for something that they are not (RFC 9112). Most of
 * them carry a second request, to "evil", which must never come to be.
 */

const alice = `Basic ${btoa("alice@example.com:secret")}`;
const evil = `POST /msg/evil HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 8\r\n\r\nSMUGGLED`;
const length = (text: string) => `Content-Length: ${Buffer.byteLength(text, "latin1")}`;
const chunked = "Transfer-Encoding: chunked";
const none = "0\r\n\r\n";

export interface OddRequest {
  readonly name: string;
  /** As bytes: each character is one. */
  readonly bytes: string;
  /** How post-msg itself answers: the status, or "closed" for none. */
  readonly status: number | "closed";
  /** The one message that a lenient reader, or post-msg behind a 201, may take it for; undefined: none. */
  readonly text?: string;
  /** It is not whole; the caller ends his side behind it. */
  readonly isCut?: true;
  /**
   * A proxy may read it as the chunks say, without the length that it also has (RFC 9112 section 6.3), or take a bare LF
   * for the end of a line (section 2.2). What follows is then a request of the caller's own, which gets its own answer.
   */
  readonly mayBeTwo?: true;
}

type Row = readonly [
  name: string,
  bytes: string,
  status: OddRequest["status"],
  more?: Partial<Pick<OddRequest, "text" | "isCut" | "mayBeTwo">>,
];

interface Start {
  readonly line?: string;
  readonly host?: string;
}

/** A request to bob with these further header lines. */
function post(
  lines: readonly string[],
  body: string,
  { line = "POST /msg/bob HTTP/1.1", host = "Host: gw" }: Start = {},
) {
  const head = [line, ...(host === "" ? [] : [host]), `Authorization: ${alice}`, "Content-Type: text/plain", ...lines];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

const plain = (line: string) => post([length("hi")], "hi", { line });
const ofHost = (...hosts: string[]) =>
  post([length("hi")], "hi", { host: hosts.map((host) => `Host: ${host}`).join("\r\n") });
const withLength = (...values: string[]) =>
  post(
    values.map((value) => `Content-Length: ${value}`),
    `hi${evil}`,
  );
const withCoding = (line: string) => post([line], `2\r\nhi\r\n${none}`);
const bothLengths = (line: string) => post([length(`${none}${evil}`), line], `${none}${evil}`);
const withChunks = (chunks: string) => post([chunked], chunks);

const lengths: readonly Row[] = [
  ["two lengths that differ", withLength("2", "200"), 400],
  ["two lengths that differ, the longer first", withLength("200", "2"), 400],
  ["two equal lengths", post([length("hi"), length("hi")], "hi"), 400, { text: "hi" }],
  ["a list of equal lengths", post(["Content-Length: 2, 2"], "hi"), 400, { text: "hi" }],
  ["a list of lengths that differ", withLength("2, 200"), 400],
  ["a length with a plus", withLength("+2"), 400],
  ["a negative length", withLength("-2"), 400],
  ["a length in hexadecimal", withLength("0x2"), 400],
  ["a length with a space in it", withLength("2 00"), 400],
  ["a length with a fraction", withLength("2.0"), 400],
  ["a length with an exponent", withLength("2e0"), 400],
  ["an empty length", withLength(""), 400],
  ["a length of 2^64 + 2", withLength("18446744073709551618"), 400],
  ["a length of 2^32 + 2", post(["Content-Length: 4294967298"], "hi"), "closed", { isCut: true }],
  ["a length in other digits", withLength("\xd9\xa2"), 400],
  ["a length with a vertical tab", withLength("2\x0b"), 400],
  ["a length with a NUL", withLength("2\0"), 400],
  ["a space before the colon of a length", post(["Content-Length : 2"], `hi${evil}`), 400],
  ["a length with leading zeros", post(["Content-Length: 0002"], "hi"), 201, { text: "hi" }],
  ["an underscore for the hyphen", post(["Content_Length: 200", length("hi")], "hi"), 201, { text: "hi" }],
  [
    "a length that the Connection header names",
    post([length("hi"), "Connection: Content-Length"], "hi"),
    201,
    { text: "hi" },
  ],
  ["a body longer than its length", post([length("hi")], "hiGARBAGE\r\n\r\n"), 201, { text: "hi" }],
  ["a body without a length", post([], "hi\r\n\r\n"), 422],
  ["a body shorter than its length", post(["Content-Length: 20"], "hi"), "closed", { isCut: true }],
  ["a GET with a request for a body", post([length(evil)], evil, { line: "GET /msg/bob HTTP/1.1" }), 405],
];

const codings: readonly Row[] = [
  ["a length and chunks, the length being longer", bothLengths(chunked), 400, { mayBeTwo: true }],
  [
    "a length and chunks, the chunks being longer",
    post(["Content-Length: 4", chunked], `5c\r\n${evil}\r\n${none}`),
    400,
  ],
  ["chunks and a length", post([chunked, length(`${none}${evil}`)], `${none}${evil}`), 400, { mayBeTwo: true }],
  ["an unknown coding", bothLengths("Transfer-Encoding: xchunked"), 400],
  ["an unknown coding without a length", withCoding("Transfer-Encoding: xchunked"), 400],
  ["chunked before another coding", withCoding("Transfer-Encoding: chunked, identity"), 400],
  ["identity before chunked", withCoding("Transfer-Encoding: identity, chunked"), 400],
  ["gzip before chunked", withCoding("Transfer-Encoding: gzip, chunked"), 400],
  ["chunked twice", withCoding("Transfer-Encoding: chunked, chunked"), 400],
  ["two equal codings", post([chunked, chunked], `2\r\nhi\r\n${none}`), 400],
  ["two codings, the last one unknown", post([chunked, "Transfer-Encoding: x"], `2\r\nhi\r\n${none}`), 400],
  ["two codings, the first one unknown", post(["Transfer-Encoding: x", chunked], `2\r\nhi\r\n${none}`), 400],
  ["a space before the colon of a coding", bothLengths("Transfer-Encoding : chunked"), 400],
  ["a coding on a folded line", bothLengths("Transfer-Encoding:\r\n chunked"), 400, { mayBeTwo: true }],
  [
    "a coding behind a folded line",
    bothLengths("X: y\r\n Transfer-Encoding: chunked"),
    400,
    { text: `${none}${evil}` },
  ],
  ["a coding with a vertical tab", bothLengths("Transfer-Encoding: \x0bchunked"), 400],
  ["a coding in quotes", bothLengths('Transfer-Encoding: "chunked"'), 400],
  ["a coding with a NUL", bothLengths("Transfer-Encoding: chunked\0"), 400],
  ["a coding with a NUL in its name", bothLengths("Transfer-Encoding\0: chunked"), 400],
  ["a coding behind a bare CR", bothLengths("X: y\rTransfer-Encoding: chunked"), 400],
  ["a coding behind a bare LF", bothLengths("X: y\nTransfer-Encoding: chunked"), 400, { mayBeTwo: true }],
  ["an underscore in a coding's name", bothLengths("Transfer_Encoding: chunked"), 201, { text: `${none}${evil}` }],
  ["chunks in HTTP/1.0", post([chunked], `2\r\nhi\r\n${none}`, { line: "POST /msg/bob HTTP/1.0" }), 400],
  ["a coding in capitals", withCoding("TRANSFER-ENCODING: CHUNKED"), 201, { text: "hi" }],
  ["a coding behind a tab", withCoding("Transfer-Encoding:\tchunked"), 201, { text: "hi" }],
];

const chunks: readonly Row[] = [
  ["a chunk with an extension", withChunks(`2;a=b\r\nhi\r\n${none}`), 201, { text: "hi" }],
  ["an extension with a bare LF", withChunks(`2;a\nhi\r\n${none}`), 400, { text: "hi" }],
  ["a last chunk of many zeros", withChunks("2\r\nhi\r\n00000\r\n\r\n"), 201, { text: "hi" }],
  ["a negative chunk", withChunks(`-2\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk size with 0x", withChunks(`0x2\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk size of 2^64 + 2", withChunks(`10000000000000002\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk size with a space before", withChunks(` 2\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk size with an underscore", withChunks(`0_2\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk size with a NUL", withChunks(`2\0\r\nhi\r\n${none}${evil}`), 400],
  ["no chunk size", withChunks(`\r\nhi\r\n${none}${evil}`), 400],
  ["a chunk longer than its size", withChunks(`2\r\nhiXX${none}${evil}`), 400],
  ["a chunk without its CRLF", withChunks(`2\r\nhi${none}${evil}`), 400],
  ["a chunk that ends with a bare LF", withChunks(`2\r\nhi\n${none}`), 400, { text: "hi" }],
  ["a chunk size that ends with a bare LF", withChunks(`2\nhi\r\n${none}`), 400, { text: "hi" }],
  ["a chunk size that ends with a bare CR", withChunks(`2\rhi\r\n${none}`), 400],
  ["a request in the place of a trailer", withChunks(`2\r\nhi\r\n0\r\n${evil}`), 201, { text: "hi" }],
  ["a length in the trailer", withChunks(`2\r\nhi\r\n0\r\nContent-Length: 200\r\n\r\n`), 201, { text: "hi" }],
  ["chunks that end too early", withChunks("20\r\nhi"), "closed", { isCut: true }],
  ["chunks without the last one", withChunks("2\r\nhi\r\n"), "closed", { isCut: true }],
];

const lines: readonly Row[] = [
  ["a folded header", post(["X: y\r\n z", length("hi")], "hi"), 400, { text: "hi" }],
  ["a space before the first header", post([length("hi")], "hi", { host: " Host: gw" }), 400],
  ["a header without a colon", post(["Host-less", length("hi")], "hi"), 400, { text: "hi" }],
  ["a header without a name", post([": x", length("hi")], "hi"), 400, { text: "hi" }],
  ["a header name beyond ASCII", post(["\xe9t\xe9: x", length("hi")], "hi"), 400, { text: "hi" }],
  ["bare LFs throughout", plain("POST /msg/bob HTTP/1.1").replaceAll("\r\n", "\n"), 505, { text: "hi" }],
  ["an empty line first", `\r\n${plain("POST /msg/bob HTTP/1.1")}`, 400, { text: "hi" }],
  ["two spaces in the request line", plain("POST  /msg/bob  HTTP/1.1"), 400, { text: "hi" }],
  ["a tab in the request line", plain("POST\t/msg/bob\tHTTP/1.1"), 505, { text: "hi" }],
  ["a request line with a space in the path", plain("POST /msg/bob /msg/evil HTTP/1.1"), 505],
  ["a NUL in the path", plain("POST /msg/bob\0 HTTP/1.1"), 505],
  ["a request line without a version", plain("POST /msg/bob"), 505],
  ["HTTP/1.2", plain("POST /msg/bob HTTP/1.2"), 505, { text: "hi" }],
  ["HTTP/1.10", plain("POST /msg/bob HTTP/1.10"), 505, { text: "hi" }],
  ["HTTP/3.0", plain("POST /msg/bob HTTP/3.0"), 505, { text: "hi" }],
  ["http/1.1 in small letters", plain("POST /msg/bob http/1.1"), 505],
  ["a method in small letters", plain("post /msg/bob HTTP/1.1"), "closed"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, { isCut: true }],
  [
    "an upgrade to HTTP/2 with a request behind",
    post(
      ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", length("hi")],
      "hi",
    ),
    201,
    { text: "hi" },
  ],
  [
    "an upgrade to WebSocket",
    post(
      [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        length("hi"),
      ],
      "hi",
    ),
    201,
    { text: "hi" },
  ],
  ["a tunnel", plain("CONNECT evil:80 HTTP/1.1"), 404],
  ["an asterisk", plain("OPTIONS * HTTP/1.1"), 400],
  ["another host in the request line", plain("POST http://evil/msg/bob HTTP/1.1"), 201, { text: "hi" }],
  ["a line end in the path", plain("POST /msg/bob%0d%0aHost:%20evil HTTP/1.1"), 422],
  ["no host", post([length("hi")], "hi", { host: "" }), 400],
  ["two hosts", ofHost("gw", "evil"), 400],
  ["two equal hosts", ofHost("gw", "gw"), 400, { text: "hi" }],
  ["a host with a space", ofHost("gw evil"), 400],
  ["a host with a user", ofHost("gw@evil"), 400, { text: "hi" }],
  ["a host with a path", ofHost("gw/evil"), 400],
  ["a list of hosts", ofHost("gw, evil"), 400],
  ["two credentials", post([`Authorization: ${alice}`, length("hi")], "hi"), 400],
  ["two media types", post(["Content-Type: application/json", length("hi")], "hi"), 400],
  ["two origins", post(["Origin: http://gw", "Origin: http://evil", length("hi")], "hi"), 400],
  ["a header of 20,000 bytes", post([`X: ${"y".repeat(20_000)}`, length("hi")], "hi"), 431],
];

export const oddRequests: readonly OddRequest[] = [...lengths, ...codings, ...chunks, ...lines].map(
  ([name, bytes, status, more = {}]) => ({ name, bytes, status, ...more }),
);
