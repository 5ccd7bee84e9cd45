/** Good requests, and mod_post_msg side by side: what HTTP alone can show of it. */

import { describe, expect, test } from "bun:test";
import type { Receipt } from "../../src/message.ts";
import { alice, basic, exchange, startGateway } from "../support/http-gateway.ts";

const form = "application/x-www-form-urlencoded";

describe("a good request", () => {
  test("is a 201 with the receipt as JSON", async () => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob@example.org", "Server@host has just crashed!");
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toStartWith("application/json");
    const id = gateway.deliveries[0]?.message.id ?? "";
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toEqual({ id, from: "alice@example.com", to: "bob@example.org", type: "chat" });
  });

  test("of the module's README works to the letter", async () => {
    await using gateway = await startGateway({ allowedHosts: ["example.com"] });
    const { credentials, message } = await gateway
      .sent("/msg/user", "Server@host has just crashed!", {
        Host: "example.com:5280",
        Authorization: basic("me@example.com:mypassword"),
        "Content-Type": "text/plain",
      })
      .then((sent) => ({ message: sent, credentials: gateway.deliveries[0]?.credentials }));
    expect(credentials?.account.bare).toBe("me@example.com");
    expect(credentials?.password).toBe("mypassword");
    expect(message).toMatchObject({ type: "chat", body: "Server@host has just crashed!" });
    expect(message.to.full).toBe("user@example.com");
  });

  test("without a body in the reply when the caller prefers that", async () => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob", "hi", { Prefer: "foo, Return=Minimal; x=y" });
    expect(response.status).toBe(201);
    expect(response.headers.get("preference-applied")).toBe("return=minimal");
    expect(await response.text()).toBe("");
  });

  test("has the reply's body with any other preference", async () => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob", "hi", { Prefer: "return=representation, return=minimal" });
    expect(response.headers.get("preference-applied")).toBeNull();
    expect(await response.json()).toMatchObject({ to: "bob@example.com" });
  });

  test("is answered when deliver has settled and not before", async () => {
    const verdict = Promise.withResolvers<Receipt>();
    const asked = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      deliver: () => {
        asked.resolve();
        return verdict.promise;
      },
    });
    let answered = false;
    const response = gateway.post("/msg/bob", "hi").finally(() => {
      answered = true;
    });
    await asked.promise;
    expect(answered).toBe(false);
    verdict.resolve({ id: "1", from: "alice@example.com", to: "bob@example.com", type: "chat" });
    expect((await response).status).toBe(201);
  });

  test("may come without a Host header from an HTTP/1.0 device", async () => {
    await using gateway = await startGateway();
    const reply = await exchange(
      gateway.port,
      ["POST /msg/bob@example.com/desk HTTP/1.0", `Authorization: ${alice}`],
      "hi",
    );
    expect(reply).toStartWith("HTTP/1.1 201");
    expect(gateway.deliveries[0]?.message.to.full).toBe("bob@example.com/desk");
  });

  test.each(["gw", "", "a_b.c-d:", "[::1]:5280", "EXAMPLE.com"])("is served under the host name %p", async (host) => {
    await using gateway = await startGateway();
    const reply = await exchange(
      gateway.port,
      ["POST /msg/bob@example.com HTTP/1.1", `Host: ${host}`, `Authorization: ${alice}`],
      "hi",
    );
    expect(reply).toStartWith("HTTP/1.1 201");
  });
});

describe("mod_post_msg side by side", () => {
  test("a form and JSON are a 201 with JSON", async () => {
    await using gateway = await startGateway();
    const asForm = await gateway.post("/msg/", "to=bob@example.com&type=normal&body=hi+there", {
      "Content-Type": form,
    });
    expect(asForm.status).toBe(201);
    expect(await asForm.json()).toMatchObject({ to: "bob@example.com", type: "normal" });
    const asJson = await gateway.post("/msg/", '{"to":"bob@example.com","body":"hi"}', {
      "Content-Type": "application/json",
    });
    expect(asJson.status).toBe(201);
    expect(await asJson.json()).toMatchObject({ to: "bob@example.com", type: "chat" });
  });

  test("text/plain with a charset parameter is a 201", async () => {
    await using gateway = await startGateway();
    expect((await gateway.post("/msg/bob", "hi", { "Content-Type": "text/plain; charset=utf-8" })).status).toBe(201);
  });

  test("a body sent as a form that is no form is the message's text", async () => {
    await using gateway = await startGateway();
    expect((await gateway.sent("/msg/bob", "hello", { "Content-Type": form })).body).toBe("hello");
  });

  test("/msg without a slash is served and not redirected", async () => {
    await using gateway = await startGateway();
    const sent = await gateway.sent("/msg", '{"to":"bob@example.com","body":"hi"}', {
      "Content-Type": "application/json",
    });
    expect(sent.to.full).toBe("bob@example.com");
  });
});

describe("the reply", () => {
  test("carries the caller's request id, and so do deliver and the log", async () => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob", "hi", { "X-Request-Id": "abc-123" });
    expect(response.headers.get("x-request-id")).toBe("abc-123");
    expect(gateway.deliveries[0]?.requestId).toBe("abc-123");
    expect(gateway.lines).toEqual([
      {
        requestId: "abc-123",
        method: "POST",
        status: 201,
        sender: expect.objectContaining({ bare: "alice@example.com" }),
        recipient: expect.objectContaining({ bare: "bob@example.com" }),
        messageId: expect.any(String),
        client: "127.0.0.1",
        times: {},
        hungUp: false,
        durationMs: expect.any(Number),
      },
    ]);
  });

  test.each([undefined, "", "a b", "a,b", "<x>", "x".repeat(129)])("has a new request id for %p", async (requestId) => {
    await using gateway = await startGateway();
    const response = await gateway.post("/msg/bob", "hi", { "X-Request-Id": requestId });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("to OPTIONS is a 204 that says what is taken, without credentials", async () => {
    await using gateway = await startGateway();
    for (const path of ["/msg", "/msg/", "/msg/bob@example.com"]) {
      const response = await gateway.post(path, undefined, { Authorization: undefined }, "OPTIONS");
      expect(response.status).toBe(204);
      expect(response.headers.get("allow")).toBe("POST, OPTIONS");
      const formats = "text/plain, application/x-www-form-urlencoded, multipart/form-data, application/json";
      expect(response.headers.get("accept-post")).toBe(formats);
      expect(response.headers.get("accept")).toBe(formats);
    }
  });
});
