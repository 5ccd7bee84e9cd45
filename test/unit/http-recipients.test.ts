/** One message for several: how they are named in every format, and what is answered. */

import { describe, expect, test } from "bun:test";
import { codes, Failure } from "../../src/errors.ts";
import type { Delivery, HttpOptions } from "../../src/http/options.ts";
import { startGateway } from "../support/http-gateway.ts";
import { jid } from "../support/jid.ts";

const json = { "Content-Type": "application/json" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };

/** Whose localpart is a code is refused with it. */
const byName: Pick<HttpOptions, "deliver"> = {
  async deliver({ credentials, message }: Delivery) {
    const { id, to, type } = message;
    if (to.local === "fault") throw new TypeError("a fault");
    const code = codes.find((each) => each === to.local);
    if (code !== undefined) throw new Failure(code, `No: ${code}.`, { retryAfterSeconds: to.full.length });
    return { id, from: credentials.account.bare, to: to.full, type };
  },
};

function multipart(...pairs: readonly (readonly [string, string])[]): FormData {
  const data = new FormData();
  for (const [name, value] of pairs) data.append(name, value);
  return data;
}

describe("several recipients", () => {
  test.each([
    ["in the path", "/msg/bob,carol@example.org", "hi", {}],
    ["in a JSON list", "/msg/", '{"to":["bob","carol@example.org"],"body":"hi"}', json],
    ["in fields of a form", "/msg/", "to=bob&body=hi&to=carol@example.org", form],
    ["in parts", "/msg/", multipart(["to", "bob"], ["to", "carol@example.org"], ["body", "hi"]), {}],
    ["by an alias", "/msg/@both", "hi", {}],
    ["more than once", "/msg/bob,@both,bob@example.com", "hi", {}],
  ])("may be named %s, and each gets the message under an id of its own", async (_, path, body, headers) => {
    const aliases = new Map([["both", [jid("bob@example.com"), jid("carol@example.org")]]]);
    await using gateway = await startGateway({ aliases });
    const response = await gateway.post(path, body, headers);
    expect(response.status).toBe(201);
    expect(gateway.deliveries.map(({ message }) => [message.to.full, message.body])).toEqual([
      ["bob@example.com", "hi"],
      ["carol@example.org", "hi"],
    ]);
    const ids = gateway.deliveries.map(({ message }) => message.id);
    expect(new Set(ids).size).toBe(2);
    expect(await response.json()).toEqual({
      results: ["bob@example.com", "carol@example.org"].map((to, at) => ({
        to,
        status: 201,
        id: ids[at],
        type: "chat",
      })),
    });
  });

  test("of which some are refused are answered 207, each with its own status and code", async () => {
    await using gateway = await startGateway({ ...byName, mayReceive: (_, { local }) => local !== "eve" });
    const response = await gateway.post("/msg/bob,item_not_found,ack_timeout,a@b@c,eve", '{"body":"hi"}', json);
    expect(response.status).toBe(207);
    expect(await response.json()).toEqual({
      results: [
        { to: "bob@example.com", status: 201, id: expect.any(String), type: "chat" },
        { to: "item_not_found@example.com", status: 404, code: "item_not_found", outcome: "not_sent", ...refusal },
        { to: "ack_timeout@example.com", status: 504, code: "ack_timeout", outcome: "unknown", ...refusal },
        { to: "a@b@c", status: 422, code: "bad_recipient", outcome: "not_sent", detail: expect.any(String) },
        { to: "eve@example.com", status: 403, code: "recipient_not_allowed", outcome: "not_sent", ...refusal },
      ],
    });
    expect(gateway.lines.at(-1)).toMatchObject({ status: 207, failure: { code: "ack_timeout" } });
  });

  test("that are all refused alike are answered with that status, and what the gravest of them needs", async () => {
    await using gateway = await startGateway(byName);
    const absent = await gateway.post("/msg/item_not_found,gone", "hi");
    expect([absent.status, absent.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect(await absent.json()).toMatchObject({ status: 404, code: "item_not_found", results: [{}, { code: "gone" }] });
    const busy = await gateway.post("/msg/server_busy,resource_constraint", "hi");
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "31"]);
    const silent = await gateway.post("/msg/remote_server_timeout,connection_lost", "hi");
    expect(await silent.json()).toMatchObject({ status: 504, outcome: "unknown" });
    expect((await gateway.post("/msg/item_not_found,forbidden", "hi")).status).toBe(207);
  });

  test("with a fault of ours among them are logged as one", async () => {
    await using gateway = await startGateway(byName);
    expect((await gateway.post("/msg/bob,fault", "hi")).status).toBe(207);
    expect(gateway.lines.at(-1)?.failure?.code).toBe("internal_error");
  });

  test("get ids that begin with the caller's own", async () => {
    await using gateway = await startGateway();
    await gateway.post("/msg/bob,carol,bob/desk", '{"body":"hi","id":"alarm"}', json);
    expect(gateway.deliveries.map(({ message }) => message.id)).toEqual(["alarm", "alarm-2", "alarm-3"]);
  });

  test("leave nothing to be read with Prefer: return=minimal, unless one of them was refused", async () => {
    await using gateway = await startGateway(byName);
    const prefer = { Prefer: "return=minimal" };
    expect(await (await gateway.post("/msg/bob,carol", "hi", prefer)).text()).toBe("");
    expect(await (await gateway.post("/msg/bob,gone", "hi", prefer)).text()).toInclude('"code":"gone"');
  });

  test("are refused as a whole when there are too many, or when the message itself is wrong", async () => {
    await using gateway = await startGateway({ maxRecipients: 2 });
    for (const [path, body, code] of [
      ["/msg/bob,carol,dave", '{"body":"hi"}', "too_many_recipients"],
      ["/msg/bob,carol", '{"body":"hi","type":"bogus"}', "bad_type"],
      ["/msg/bob,carol", "{}", "empty_message"],
    ] as const) {
      const response = await gateway.post(path, body, json);
      expect([response.status, await response.json()]).toMatchObject([422, { code, outcome: "not_sent" }]);
    }
    expect(gateway.deliveries).toEqual([]);
  });
});

const refusal = { id: expect.any(String), detail: expect.any(String) };
