/** The API's description: that it is valid, that it is whole, and that what it shows is true. */

import { describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openapi } from "../../src/cli/openapi.ts";
import { codes } from "../../src/errors.ts";
import { describeApi } from "../../src/http/api/document.ts";
import { contentSecurityPolicy } from "../../src/http/api/page.ts";
import { statuses } from "../../src/http/problem.ts";
import { type Json, readApiDescription } from "../support/api-description.ts";
import { makeWritingProcess } from "../support/fake-process.ts";
import { type Gateway, startGateway } from "../support/http-gateway.ts";
import { makeTempFolder } from "../support/temp-folder.ts";

const { document, operations, at, problemsOf } = readApiDescription();

describe("the description", () => {
  test("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result).toMatchObject({ valid: true });
    expect(document["openapi"]).toBe("3.1.0");
  });

  test.each(["Problem", "RestProblem"])("has every code with an example, and a status each: %s", (kind) => {
    const shown = new Set<string>();
    for (const [name, response] of Object.entries(at("components", "responses"))) {
      if (name.replace(/\d+/, "") !== kind) continue;
      const { examples } = ((response as Json)["content"] as Json)["application/problem+json"] as Json;
      for (const [code, { value }] of Object.entries(examples as Record<string, { readonly value: Json }>)) {
        expect(problemsOf(kind, value)).toEqual([]);
        expect(`${kind}${value["status"]}`).toBe(name);
        shown.add(code);
      }
    }
    expect([...shown].sort()).toEqual([...codes].sort());
  });

  test("says of every way to send which statuses there are, and each leads to an answer", () => {
    const all = [...new Set(Object.values(statuses))].map(String);
    for (const { path, method, operation } of operations.filter((each) => each.method === "post")) {
      const given = Object.keys(operation["responses"] as Json);
      expect([path, all.filter((status) => !given.includes(status))]).toEqual([path, []]);
      for (const status of given) expect(at("paths", path, method, "responses", status)["description"]).toBeString();
    }
  });

  test("has the paths of the settings", () => {
    const paths = Object.keys(describeApi({ path: "/send/it", rest: false, version: "1" })["paths"] as Json);
    expect(paths).toEqual(["/send/it/{recipient}", "/send/it", "/health/live", "/health/ready"]);
  });
});

describe("what the description shows", () => {
  const bodies = operations.flatMap(({ path, method, operation }) => {
    const { content = {} } = (operation["requestBody"] ?? {}) as Json;
    return Object.entries(content as Record<string, Json>).map(([type, { example }]) => ({
      path,
      method,
      type,
      example,
    }));
  });

  test.each(bodies)("can be sent: $method $path $type", async ({ path, method, type, example }) => {
    await using gateway = await startGateway();
    const target = path.replace("{recipient}", "bob@example.com").replace("{type}", "headline");
    const headers = type === "multipart/form-data" ? {} : { "Content-Type": type };
    const response = await gateway.post(target, encode(type, example), headers, method.toUpperCase());
    const [taken = ""] = Object.keys(at("paths", path, method, "responses"));
    expect([response.status, taken]).toEqual([Number(taken), path.startsWith("/rest") ? "202" : "201"]);
    if (taken === "201") expect(problemsOf("Receipt", await response.json())).toEqual([]);
  });

  test("is there at /openapi.json, for those who read, with a version", async () => {
    await using gateway = await startGateway({ path: "/xmpp" });
    const response = await fetch(`${gateway.origin}/openapi.json`);
    expect(response.headers.get("content-type")).toStartWith("application/json");
    const served = JSON.parse(await response.text());
    expect(Object.keys(served.paths)).toContain("/xmpp/{recipient}");
    expect(served.info.version).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("the documentation's paths", () => {
  const ask = ({ origin }: Gateway, path: string, method = "GET") =>
    fetch(`${origin}${path}`, { method, redirect: "manual" });

  test("are read and nothing else, each with the policy", async () => {
    await using gateway = await startGateway();
    for (const path of [
      "/docs",
      "/docs/start.js",
      "/docs/swagger-ui-bundle.js",
      "/docs/swagger-ui.css",
      "/openapi.json",
    ]) {
      const response = await ask(gateway, path);
      expect([path, response.status, (await response.text()).length > 100]).toEqual([path, 200, true]);
      expect(response.headers.get("content-security-policy")).toBe(contentSecurityPolicy);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect((await ask(gateway, path, "HEAD")).status).toBe(200);
      const refused = await ask(gateway, path, "POST");
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    expect((await ask(gateway, "/docs/")).headers.get("location")).toBe("../docs");
    for (const path of ["/docs/x", "/docs/constructor", "/docs/../etc/passwd%00"]) {
      expect((await ask(gateway, path)).status).toBe(404);
    }
    expect(gateway.lines.length).toBeGreaterThan(15);
  });

  test("lead nowhere but to the gateway itself", async () => {
    await using gateway = await startGateway();
    for (const path of ["/docs", "/docs/start.js"]) {
      expect(await (await ask(gateway, path)).text()).not.toMatch(/https?:|\/\//);
    }
  });
});

describe("post-msg openapi", () => {
  const run = async (file?: string) => {
    const { process, written } = makeWritingProcess();
    const code = await openapi(file, process);
    return { code, ...written };
  };

  test("prints it, with the paths of a configuration if there is one", async () => {
    const folder = await makeTempFolder();
    try {
      const usual = await run();
      expect([usual.code, Object.keys(JSON.parse(usual.output).paths)[0]]).toEqual([0, "/msg/{recipient}"]);
      const file = await folder.write("a.toml", `[hosts."example.com"]\n[http]\npath = "/xmpp"\nrest = false\n`);
      const own = await run(file);
      expect(Object.keys(JSON.parse(own.output).paths)).not.toContain("/rest");
      expect(Object.keys(JSON.parse(own.output).paths)[0]).toBe("/xmpp/{recipient}");
      const broken = await run(await folder.write("b.toml", "x"));
      expect([broken.code, broken.output]).toEqual([2, ""]);
    } finally {
      await folder.remove();
    }
  });
});

function encode(type: string, example: unknown): string | FormData {
  if (typeof example === "string") return example;
  if (type === "application/json") return JSON.stringify(example);
  const pairs = Object.entries(example as Record<string, string>);
  if (type !== "multipart/form-data") return new URLSearchParams(pairs).toString();
  const form = new FormData();
  for (const [name, value] of pairs) form.append(name, value);
  return form;
}
