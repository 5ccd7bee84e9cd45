/** What XML 1.0 cannot carry (section 2.2), in a request: refused or replaced. */

import { describe, expect, test } from "bun:test";
import { startGateway } from "../support/http-gateway.ts";

const json = "application/json";

describe("characters that XML 1.0 cannot carry", () => {
  const forbidden: readonly number[] = [0, 1, 8, 0xb, 0xc, 0xe, 0x1f, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffe, 0xffff];

  test.each(forbidden)("%d is refused by name and by position in code points", async (code) => {
    await using gateway = await startGateway();
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    for (const field of ["body", "html"]) {
      const text = JSON.stringify({ [field]: `😀b${String.fromCharCode(code)}\u0000` });
      const response = await gateway.post("/msg/bob", text, { "Content-Type": json });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({
        code: "forbidden_character",
        detail: expect.stringContaining(`"${field}" has the character ${name} at position 3,`),
      });
    }
  });

  test("are replaced where the settings say so", async () => {
    await using replacing = await startGateway({ forbiddenCharacters: "replace" });
    const text = String.fromCharCode(0x61, ...forbidden, 0x62);
    const sent = await replacing.sent("/msg/bob", JSON.stringify({ body: text, html: "<p>\u0000</p>" }), {
      "Content-Type": json,
    });
    // A high and a low surrogate that meet are a character.
    expect(sent.body).toBe(`a${"\uFFFD".repeat(8)}\uDBFF\uDC00${"\uFFFD".repeat(3)}b`);
    expect(sent.html).toBe("<p>\uFFFD</p>");
  });

  test("are not those around them", async () => {
    await using gateway = await startGateway();
    const text = "\t\n\r \u007F\u0080\u009F\uD7FF\uE000\uFFFD\u{10000}\u{1FFFE}\u{10FFFF}";
    const sent = await gateway.sent("/msg/bob", JSON.stringify({ body: text }), { "Content-Type": json });
    expect(sent.body).toBe(text);
  });
});
