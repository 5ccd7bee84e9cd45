/** Who is it: the Authorization header, to Credentials or to a refusal. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { readCredentials } from "../../src/http/auth.ts";
import { basic } from "../support/http-gateway.ts";

const twoHosts = {
  isAllowedHost: (domain: string) => ["example.com", "example.org"].includes(domain),
  onlyHost: undefined,
};
const oneHost = { isAllowedHost: (domain: string) => domain === "example.com", onlyHost: "example.com" };

function read(
  authorization: string | undefined,
  host = "gw",
  hosts: typeof oneHost | typeof twoHosts = twoHosts,
): string {
  const headers = new Headers({ Host: host });
  if (authorization !== undefined) headers.set("Authorization", authorization);
  try {
    const { account, password } = readCredentials(headers, hosts);
    return `${account.full} ${password}`;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

describe("the scheme", () => {
  const token = btoa("a@example.com:b");
  test.each([
    [`Basic ${token}`, "a@example.com b"],
    [`basic ${token}`, "a@example.com b"],
    [`BASIC   ${token}`, "a@example.com b"],
    [undefined, "credentials_missing"],
    [`Basically ${token}`, "credentials_missing"],
    [`Bearer ${token}`, "credentials_missing"],
    [`Digest username="Mufasa, Basic x", realm="r", nc=00000001, qop = auth`, "credentials_missing"],
    ["", "credentials_missing"],
    [token, "credentials_missing"],
    ["Basic", "credentials_unusable"],
    [`Basic ${token}, Basic ${token}`, "duplicate_header"],
    [`Bearer abc, Basic ${token}`, "duplicate_header"],
    [`Basic ${token}, Bearer abc`, "duplicate_header"],
    [`Basic ${token}, Digest realm="r"`, "duplicate_header"],
    [`, Basic ${token}`, "duplicate_header"],
    [`Basic ${token}, `, "duplicate_header"],
    [`Basic ${token}, ${token}`, "duplicate_header"],
  ])("%p: %s", (authorization, outcome) => {
    expect(read(authorization)).toBe(outcome);
  });
});

describe("the password", () => {
  test.each(["b", "a:b:c", "  ", "pässwörd :€", "😀", ":", "\uFEFF"])("may be %p", (password) => {
    expect(read(basic(`a@example.com:${password}`))).toBe(`a@example.com ${password}`);
  });

  test.each(["", "a\0b", "a\nb", "a\u007F", "a\u0085"])("may not be %p", (password) => {
    expect(read(basic(`a@example.com:${password}`))).toBe("credentials_unusable");
  });
});

describe("credentials", () => {
  test.each([
    ["no base64", "Basic %%%"],
    ["base64 of the URL alphabet", "Basic a-_b"],
    ["no colon", basic("a@example.com")],
    ["an empty user-id", basic(":b")],
    ["ISO-8859-1", basic(Buffer.from("a@example.com:\xe4", "latin1"))],
    ["a NUL in the user-id", basic("a\0@example.com:b")],
    ["a line end in the user-id", basic("a\r\n@example.com:b")],
    ["a resource", basic("a@example.com/desk:b")],
    ["an empty resource", basic("a@example.com/:b")],
    ["a resource without a host", basic("a/b:c")],
    ["two @", basic("a@b@example.com:c")],
    ["no user before the @", basic("@example.com:b")],
    ["no host after the @", basic("a@:b")],
    ["a byte order mark before the user", basic("\uFEFFa@example.com:b")],
  ])("are unusable with %s", (_, authorization) => {
    expect(read(authorization)).toBe("credentials_unusable");
  });

  test("are normalised", () => {
    expect(read(basic("Alice@EXAMPLE.com:b"))).toBe("alice@example.com b");
  });
});

describe("a user-id without @", () => {
  test.each([
    ["the request's host, when allowed", "example.org", twoHosts, "a@example.org b"],
    ["the request's host with a port", "Example.ORG:5280", twoHosts, "a@example.org b"],
    ["the only allowed host", "127.0.0.1:5280", oneHost, "a@example.com b"],
    ["the only allowed host for an IPv6 address", "[::1]:5280", oneHost, "a@example.com b"],
    ["the only allowed host for a strange host", "x@example.com/y", oneHost, "a@example.com b"],
    ["nothing, when there are two hosts", "127.0.0.1", twoHosts, "credentials_unusable"],
    ["nothing, by a sub-domain", "gw.example.com", twoHosts, "credentials_unusable"],
    ["nothing, by a JID for a host", "x@example.com", twoHosts, "credentials_unusable"],
    ["nothing, by two hosts", "example.com, example.org", twoHosts, "duplicate_header"],
  ])("takes its domain from %s", (_, host, hosts, outcome) => {
    expect(read(basic("a:b"), host, hosts)).toBe(outcome);
  });

  test("may look like a domain", () => {
    expect(read(basic("john.doe:b"), "example.org")).toBe("john.doe@example.org b");
  });
});
