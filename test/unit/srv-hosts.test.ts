/** Names on the way to a server: the hosts file, IP literals, and the order of addresses. */

import { describe, expect, test } from "bun:test";
import { AddressQueue, maxAddresses } from "../../src/xmpp/address-queue.ts";
import { findHost } from "../../src/xmpp/hosts-file.ts";
import { parseIpLiteral } from "../../src/xmpp/ip-literal.ts";

const hosts = `127.0.0.1 localhost
::1	localhost ip6-localhost # loopback
# 192.0.2.66 commented.example
192.0.2.1  one.example   ONE-alias.example\r
192.0.2.2 one.example#no blank before
nonsense bad.example
2001:db8::5 six.example
`;

describe("the hosts file", () => {
  test.each([
    ["localhost", { ipv4: ["127.0.0.1"], ipv6: ["::1"] }],
    ["one.example", { ipv4: ["192.0.2.1", "192.0.2.2"], ipv6: [] }],
    ["ONE.example", { ipv4: ["192.0.2.1", "192.0.2.2"], ipv6: [] }],
    ["one-ALIAS.example", { ipv4: ["192.0.2.1"], ipv6: [] }],
    ["six.example", { ipv4: [], ipv6: ["2001:db8::5"] }],
    ["commented.example", undefined],
    ["bad.example", undefined],
    ["192.0.2.1", undefined],
    ["one", undefined],
    ["", undefined],
  ])("says about %p: %j", (name, expected) => {
    expect(findHost(hosts, name)).toEqual(expected);
  });
});

describe("an IP literal", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["example.com", undefined],
    ["127.1", undefined],
    ["0x7f000001", undefined],
    ["[example.com]", undefined],
    ["", undefined],
  ])("%p is read as %p", (text, expected) => {
    expect(parseIpLiteral(text)).toBe(expected);
  });
});

describe("the order of addresses", () => {
  function drain(queue: AddressQueue): string[] {
    const taken: string[] = [];
    for (let address = queue.take(); address !== undefined; address = queue.take()) taken.push(address);
    return taken;
  }

  test("takes the families in turn, IPv6 first", () => {
    const queue = new AddressQueue();
    queue.add(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    queue.add(["2001:db8::1", "2001:db8::2"]);
    expect(drain(queue)).toEqual(["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]);
  });

  test("takes IPv6 next where its answer comes after IPv4 has begun", () => {
    const queue = new AddressQueue();
    queue.add(["192.0.2.1", "192.0.2.2"]);
    expect(queue.take()).toBe("192.0.2.1");
    queue.add(["2001:db8::1"]);
    expect(drain(queue)).toEqual(["2001:db8::1", "192.0.2.2"]);
  });

  test("drops repetitions and what is no address", () => {
    const queue = new AddressQueue();
    queue.add(["192.0.2.1", "192.0.2.1", "example.com", "", "127.1"]);
    queue.add(["192.0.2.1"]);
    expect(drain(queue)).toEqual(["192.0.2.1"]);
  });

  test(`ends after ${maxAddresses}, and leaves room for both families`, () => {
    const queue = new AddressQueue();
    queue.add(Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`));
    queue.add(Array.from({ length: 100 }, (_, index) => `2001:db8::${index}`));
    const taken = drain(queue);
    expect(taken).toHaveLength(maxAddresses);
    expect(taken.filter((address) => address.includes(":"))).toHaveLength(maxAddresses / 2);
    expect(queue.isEmpty).toBe(true);
  });
});
