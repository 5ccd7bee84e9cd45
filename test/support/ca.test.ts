import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { connect } from "node:tls";
import { type Authority, type CertificateRequest, type IssuedCertificate, makeAuthority } from "./ca.ts";
import { makeWire } from "./peer/wire.ts";

const hourMs = 60 * 60 * 1000;
const authority = await makeAuthority();
const other = await makeAuthority();

/** What a strict client makes of the certificate when it wants to speak to example.com. */
async function verdict(certificate: IssuedCertificate, trusted: Authority, name = "example.com") {
  const server = createServer((socket) => {
    // A client that refuses the certificate ends the handshake.
    makeWire(socket, () => {})
      .startTls({ certificate })
      .catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const socket = connect({
    port,
    host: "127.0.0.1",
    // An address is no server name (RFC 6066 section 3); the client then compares the one it connects to.
    ...(name === "127.0.0.1" ? {} : { servername: name }),
    ca: [trusted.certificatePem],
    rejectUnauthorized: true,
  });
  try {
    return await new Promise<string>((resolve) => {
      socket.once("secureConnect", () => resolve("good"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

describe("a certificate made on the spot", () => {
  const requests: [string, CertificateRequest, string][] = [
    ["for the name", { dnsNames: ["example.com"] }, "good"],
    ["for the name among others", { dnsNames: ["example.net", "example.com"] }, "good"],
    ["for another name", { dnsNames: ["example.net"] }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["for an address alone", { ipAddresses: ["127.0.0.1"] }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    [
      "with the right common name but another subjectAltName",
      { commonName: "example.com", dnsNames: ["xmpp.example.net"] },
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    [
      "that has expired",
      {
        dnsNames: ["example.com"],
        notBefore: new Date(Date.now() - 2 * hourMs),
        notAfter: new Date(Date.now() - hourMs),
      },
      "CERT_HAS_EXPIRED",
    ],
    [
      "that is not valid yet",
      { dnsNames: ["example.com"], notBefore: new Date(Date.now() + hourMs) },
      "CERT_NOT_YET_VALID",
    ],
  ];
  test.each(requests)("%s is what it says to a client", async (_name, request, expected) => {
    expect(await verdict(await authority.issue(request), authority)).toBe(expected);
  });

  test("for an address fits that address", async () => {
    const certificate = await authority.issue({ ipAddresses: ["127.0.0.1", "::1"] });
    expect(await verdict(certificate, authority, "127.0.0.1")).toBe("good");
  });

  test("is not trusted by way of another authority of the same name", async () => {
    const certificate = await other.issue({ dnsNames: ["example.com"] });
    expect(await verdict(certificate, authority)).not.toBe("good");
    expect(await verdict(certificate, other)).toBe("good");
  });

  test("is not trusted when it is self-signed", async () => {
    const certificate = await authority.selfSigned({ dnsNames: ["example.com"] });
    expect(await verdict(certificate, authority)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  });
});
