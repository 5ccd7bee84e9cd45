/** Each body format, as far as the message that comes out of it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Code } from "../../src/errors.ts";
import { type Gateway, startGateway } from "../support/http-gateway.ts";

const form = "application/x-www-form-urlencoded";
const json = "application/json";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function refusal(contentType: string | undefined, body: string | Uint8Array<ArrayBuffer>): Promise<unknown> {
  const response = await gateway.post("/msg/bob", Buffer.from(body), { "Content-Type": contentType });
  const { code, detail } = JSON.parse(await response.text());
  return { status: response.status, code, detail };
}

async function sentBody(contentType: string | undefined, body: string | Uint8Array<ArrayBuffer>): Promise<unknown> {
  return (await gateway.sent("/msg/bob", Buffer.from(body), { "Content-Type": contentType })).body;
}

describe("text/plain", () => {
  test.each([
    ["no type at all", undefined],
    ["an empty type", ""],
    ["plain", "text/plain"],
    ["letter case", "Text/PLAIN"],
    ["a charset", "text/plain; charset=UTF-8"],
    ["a quoted charset", 'text/plain;charset="utf-8"'],
    ["another parameter", "text/plain; format=flowed; delsp=yes"],
  ])("is meant by %s", async (_, contentType) => {
    expect(await sentBody(contentType, "hi")).toBe("hi");
  });

  test.each([
    ["line ends become LF", "a\r\nb\rc\nd\n\r\n", "a\nb\nc\nd\n\n"],
    ["white space stays", "  a \t\n", "  a \t\n"],
    ["white space alone is a text", " \n", " \n"],
    ["what looks like a form stays", "body=a&to=b%20c+d", "body=a&to=b%20c+d"],
    ["what looks like XML stays", "<b>&amp;", "<b>&amp;"],
    ["a byte order mark stays", "\uFEFFa", "\uFEFFa"],
    ["astral characters stay", "😀é\u0085\u{10FFFF}", "😀é\u0085\u{10FFFF}"],
  ])("%s", async (_, sent, received) => {
    expect(await sentBody("text/plain", sent)).toBe(received);
  });

  test.each([
    ["iso-8859-1", [0x67, 0x72, 0xfc, 0xdf]],
    ["utf-16le", [0x67, 0, 0x72, 0, 0xfc, 0, 0xdf, 0]],
    ["utf-16", [0xfe, 0xff, 0, 0x67, 0, 0x72, 0, 0xfc, 0, 0xdf]],
    ["UTF-16", [0xff, 0xfe, 0x67, 0, 0x72, 0, 0xfc, 0, 0xdf, 0]],
    ["utf8", [0x67, 0x72, 0xc3, 0xbc, 0xc3, 0x9f]],
  ])("is decoded in the charset %s", async (charset, bytes) => {
    expect(await sentBody(`text/plain; charset=${charset}`, Buffer.from(bytes))).toBe("grüß");
  });
});

test.each([{}, { "Content-Type": "text/plain" }, { "Content-Type": "text/plain; charset=latin1" }])(
  "an empty body with %p is told as one",
  async (headers) => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob", "", headers);
    const detail = "The request's body is empty; the text of the message is needed in it.";
    expect([response.status, await response.json()]).toMatchObject([422, { code: "empty_message", detail }]);
  },
);

describe("application/x-www-form-urlencoded", () => {
  test.each([
    ["plus and percent", "body=a+b%20c%2Bd%C3%A9", "a b c+dé"],
    ["a lone percent stays", "body=100%", "100%"],
    ["a percent without digits stays", "body=100%zz%4", "100%zz%4"],
    ["raw UTF-8", "body=é", "é"],
    ["empty pairs are nothing", "&&body=a&&", "a"],
    ["equals signs after the first", "body=a=b==", "a=b=="],
    ["an escaped name", "bo%64y=a", "a"],
    ["line ends", "body=a%0D%0Ab", "a\nb"],
  ])("is decoded: %s", async (_, sent, received) => {
    expect(await sentBody(form, sent)).toBe(received);
  });

  test("is decoded in a charset of its own", async () => {
    expect(await sentBody(`${form}; charset=iso-8859-1`, "body=%FC")).toBe("ü");
  });

  test("has all four fields", async () => {
    const sent = await gateway.sent("/msg/", "to=bob%40example.org&type=headline&body=a&html=%3Cp%3Ea%3C%2Fp%3E", {
      "Content-Type": form,
    });
    expect(sent).toMatchObject({ type: "headline", body: "a", html: "<p>a</p>" });
    expect(sent.to.full).toBe("bob@example.org");
  });

  test.each([
    "load=5 high",
    "hello",
    "a+b%20c",
    "100%",
    "Body=a&bodys=b",
    "x & y",
    "=body",
    "%ff",
    "subject=a&thread=b",
    " to=bob",
  ])("without one of the four names is the text %p, undecoded", async (text) => {
    expect(await sentBody(form, text)).toBe(text);
  });

  test.each<[why: string, body: string | Uint8Array<ArrayBuffer>, status: number, code: Code, detail: string]>([
    [
      "an unknown name",
      "body=CPU & disk full",
      422,
      "unknown_field",
      '" disk full"; the fields are to, type, body, html, ',
    ],
    ["an unknown name, and the nearest", "body=a&tpye=chat", 422, "unknown_field", 'did you mean "type"?'],
    ["a name in another letter case", "body=a&Subject=b", 422, "unknown_field", 'did you mean "subject"?'],
    ["a member that an object has not", "body=a&oob.uri=b", 422, "unknown_field", '"/oob/uri"; did you mean "url"?'],
    ["a field twice", "body=a&body=b", 422, "bad_field", '"body"'],
    ["an empty field twice", "body=&body=b", 422, "bad_field", '"body"'],
    ["an escape that is not UTF-8", "body=%ff", 400, "bad_form", "decoded"],
    ["a byte that is not UTF-8", Buffer.from("body=\xff", "latin1"), 400, "bad_form", "decoded"],
    ["a name that is not UTF-8", "body=a&%ff=b", 400, "bad_form", "decoded"],
    ["a text that is not UTF-8", Buffer.from("a\xff", "latin1"), 400, "bad_text", "decoded"],
    ["a mark without a value", "to", 422, "empty_message", "nothing"],
    ["no body at all", "", 422, "empty_message", "The request's body is empty; "],
    ["a lone surrogate's bytes", "body=%ED%A0%80", 400, "bad_form", "decoded"],
  ])("is refused: %s", async (_, body, status, code, detail) => {
    expect(await refusal(form, body)).toEqual({ status, code, detail: expect.stringContaining(detail) });
  });
});

describe("multipart/form-data", () => {
  const type = "multipart/form-data; boundary=X";
  const part = (headers: string, value: string) =>
    `--X\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${value}\r\n`;
  const body = part('name="body"', "hi");

  test("has fields as FormData writes them, a file being its text", async () => {
    const sent = new FormData();
    sent.set("to", "bob@example.com");
    sent.set("type", "normal");
    sent.set("body", new Blob(["\uFEFFa\r\nb"], { type: "text/x-log" }), "error.log");
    const message = await gateway.sent("/msg/", sent);
    expect(message).toMatchObject({ type: "normal", body: "\uFEFFa\nb" });
    expect(message.to.full).toBe("bob@example.com");
  });

  test.each([
    ["as curl sends it", type, `${body}--X--\r\n`],
    ["without the last line end", type, `${body}--X--`],
    ["with a preamble and an epilogue", type, `to whom it may concern\r\n${body}--X--\r\nbye`],
    ["with a quoted boundary", 'Multipart/Form-Data; Boundary="X"', `${body}--X--\r\n`],
    [
      "with a part's own type",
      type,
      `${part('name="body"\r\nContent-Type: text/plain; charset=utf-8', "hi")}--X--\r\n`,
    ],
  ])("is read %s", async (_, contentType, sent) => {
    expect(await sentBody(contentType, sent)).toBe("hi");
  });

  test("keeps a text that has the boundary in it", async () => {
    expect(await sentBody(type, `${part('name="body"', "a\r\n--Xy")}--X--\r\n`)).toBe("a\r\n--Xy".replace("\r", ""));
  });

  test.each<[why: string, contentType: string, body: string | Uint8Array<ArrayBuffer>, status: number, code: Code]>([
    ["cut short", type, body, 400, "bad_form"],
    ["garbage", type, "garbage", 400, "bad_form"],
    ["empty", type, "", 400, "bad_form"],
    ["no boundary", "multipart/form-data", `${body}--X--\r\n`, 400, "bad_form"],
    ["not UTF-8", type, Buffer.from(`${part('name="body"', "\xff")}--X--\r\n`, "latin1"), 400, "bad_form"],
    ["a part without a name", type, `${body}${part('filename="a"', "b")}--X--\r\n`, 400, "bad_form"],
    [
      "a part of another disposition",
      type,
      `${body}--X\r\nContent-Disposition: attachment; name="to"\r\n\r\nb\r\n--X--`,
      400,
      "bad_form",
    ],
    [
      "padding after the boundary",
      type,
      `${body}--X \r\nContent-Disposition: form-data; name="to"\r\n\r\nb\r\n--X--`,
      400,
      "bad_form",
    ],
    ["an unknown name", type, `${body}${part('name="file"', "b")}--X--\r\n`, 422, "unknown_field"],
    ["a field twice", type, `${body}${body}--X--\r\n`, 422, "bad_field"],
    ["no parts", type, "--X--\r\n", 422, "empty_message"],
  ])("is refused: %s", async (_, contentType, sent, status, code) => {
    expect(await refusal(contentType, sent)).toMatchObject({ status, code });
  });
});

describe("application/json", () => {
  test.each([json, "Application/JSON; charset=utf-8", "application/ld+json", "application/vnd.x.y+json"])(
    "is meant by %p",
    async (contentType) => {
      expect(await sentBody(contentType, '{"body":"hi"}')).toBe("hi");
    },
  );

  test.each([
    ["escapes", '{"body":"a\\n\\u00e9\\ud83d\\ude00\\r\\n"}', "a\né😀\r\n"],
    ["a byte order mark", '\uFEFF{"body":"a"}', "a"],
    ["a member twice, as JSON.parse has it", '{"body":"a","body":"b"}', "b"],
  ])("is read with %s", async (_, sent, received) => {
    expect(await sentBody(json, sent)).toBe(received);
  });

  test.each<[why: string, body: string | Uint8Array<ArrayBuffer>, status: number, code: Code, detail: string]>([
    ["cut short", '{"body":', 400, "bad_json", "as JSON: unexpected EOF."],
    ["empty", "", 400, "bad_json", "JSON"],
    ["single quotes", "{'body':'a'}", 400, "bad_json", "as JSON: single quotes (') are not"],
    ["not UTF-8", Buffer.from('{"body":"\xff"}', "latin1"), 400, "bad_json", "JSON"],
    ["endless nesting", "[".repeat(60_000), 400, "bad_json", "JSON"],
    ["an array", '["a"]', 422, "bad_field", "object"],
    ["a string", '"a"', 422, "bad_field", "object"],
    ["null", "null", 422, "bad_field", "object"],
    [
      "a number for a text",
      '{"body":1}',
      422,
      "bad_field",
      '"body" could not be used: a text or an object with a text for each language is needed, not the number 1.',
    ],
    [
      "null for a text",
      '{"to":null,"body":"a"}',
      422,
      "bad_field",
      '"to" could not be used: a text or a list that is not empty is needed, not null',
    ],
    ["a number for a recipient", '{"to":["a@example.com",1],"body":"a"}', 422, "bad_field", '"/to/1"'],
    ["an empty list of recipients", '{"to":[],"body":"a"}', 422, "bad_field", '"to"'],
    ["an unknown field", '{"body":"a","text":"b"}', 422, "unknown_field", '"text"'],
    ["__proto__", '{"__proto__":{"body":"a"}}', 422, "unknown_field", '"__proto__"'],
    ["constructor", '{"constructor":"a","body":"b"}', 422, "unknown_field", '"constructor"'],
    ["an empty object", "{}", 422, "empty_message", "nothing"],
    ["an empty text", '{"body":"","html":""}', 422, "empty_message", "nothing"],
  ])("is refused: %s", async (_, body, status, code, detail) => {
    expect(await refusal(json, body)).toEqual({ status, code, detail: expect.stringContaining(detail) });
  });

  test("names an endless unknown field without repeating all of it", async () => {
    const { detail } = Object(await refusal(json, JSON.stringify({ ["x".repeat(50_000)]: 1 })));
    expect(detail.length).toBeLessThan(500);
  });
});
