/**
 * Who may import whom: reads the import lines of src and fails when an arrow points the wrong way. Type-only imports
 * count like any other. Each rule carries an arrow that it must find.
 */

import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dependencies } from "../../package.json";
import { type Arrow, findCycles, readArrows } from "../support/import-arrows.ts";

/** What it is, the arrows that it forbids, and one of them. */
type Rule = readonly [name: string, forbidden: RegExp, example: Arrow];

const declared = Object.keys(dependencies).join("|");

const rules: readonly Rule[] = [
  ["http knows neither session nor xmpp", /^src\/http\/.* -> src\/(session|xmpp)\//, "src/http/a.ts -> src/xmpp/b.ts"],
  [
    "session knows neither http nor xmpp",
    /^src\/session\/.* -> src\/(http|xmpp)\//,
    "src/session/a.ts -> src/http/b.ts",
  ],
  [
    "xmpp knows neither http nor session",
    /^src\/xmpp\/.* -> src\/(http|session)\//,
    "src/xmpp/a.ts -> src/session/b.ts",
  ],
  ["Elysia only in http", /^src\/(?!http\/).* -> package:(@elysiajs\/|elysia)/, "src/app.ts -> package:elysia"],
  ["@xmpp only in xmpp", /^src\/(?!xmpp\/).* -> package:@xmpp\//, "src/deliver.ts -> package:@xmpp/xml"],
  [
    "the TOML parser only in config",
    /^src\/(?!config[./]).* -> package:.*toml/,
    "src/app.ts -> package:toml-eslint-parser",
  ],
  ["foreign code in two places", /^src\/(?!libc\.ts|http\/newest-listener\.ts).* -> bun:ffi$/, "src/log.ts -> bun:ffi"],
  [
    "systemd knows nothing of ours but libc.ts",
    /^src\/systemd\/.* -> src\/(?!systemd\/|libc\.ts$)/,
    "src/systemd/a.ts -> src/log.ts",
  ],
  ["prom-client only in metrics", /^src\/(?!metrics\/).* -> package:prom-client/, "src/app.ts -> package:prom-client"],
  [
    "metrics knows neither session nor xmpp",
    /^src\/metrics\/.* -> src\/(session|xmpp)\//,
    "src/metrics/a.ts -> src/session/b.ts",
  ],
  ["pino only in log.ts", /^src\/(?!log\.ts ).* -> package:pino/, "src/deliver.ts -> package:pino"],
  [
    "commander only in cli and main.ts",
    /^src\/(?!cli\/|main\.ts ).* -> package:.*commander/,
    "src/app.ts -> package:commander",
  ],
  ["message.ts knows only jid.ts", /^src\/message\.ts -> (?!src\/jid\.ts$)/, "src/message.ts -> src/errors.ts"],
  ["errors.ts knows nothing of ours", /^src\/errors\.ts -> src\//, "src/errors.ts -> src/jid.ts"],
  [
    "log.ts knows nothing of ours but a memo and where it writes to",
    /^src\/log\.ts -> src\/(?!(memo|standard-error)\.ts$)|^src\/memo\.ts -> src\/|^src\/standard-error\.ts -> src\/(?!libc\.ts$)/,
    "src/log.ts -> src/errors.ts",
  ],
  [
    "tally.ts knows only the domain words",
    /^src\/tally\.ts -> (?!src\/(errors|jid)\.ts$)/,
    "src/tally.ts -> src/metrics/metrics.ts",
  ],
  [
    "link.ts knows only the domain words",
    /^src\/link\.ts -> (?!src\/(errors|jid|message)\.ts$)/,
    "src/link.ts -> src/log.ts",
  ],
  [
    "nobody knows main.ts and app.ts but the program",
    /^src\/(?!main\.ts|cli\/serve\.ts).* -> src\/(main|app)\.ts$/,
    "src/cli/check.ts -> src/app.ts",
  ],
  [
    "nobody knows doctor.ts but the program and its command",
    /^src\/(?!main\.ts|cli\/check\.ts).* -> src\/doctor\.ts$/,
    "src/app.ts -> src/doctor.ts",
  ],
  [
    "the doctor knows neither http, session nor xmpp",
    /^src\/doctor\/.* -> src\/(http|session|xmpp)\//,
    "src/doctor/a.ts -> src/xmpp/b.ts",
  ],
  [
    "findings.ts knows only the domain words",
    /^src\/findings\.ts -> (?!src\/(errors|jid|message)\.ts$)/,
    "src/findings.ts -> src/log.ts",
  ],
  [
    "src knows nothing outside src but package.json",
    /^src\/.* -> (?!src\/|package\.json$|package:|node:|bun(:|$))/,
    "src/app.ts -> test/support/ca.ts",
  ],
  [
    "src needs no package that users do not get",
    // But for the documentation page: the build puts these files into the executable.
    RegExp(`^src/(?!http/api/page\\.ts -> package:swagger-ui-dist$).* -> package:(?!(${declared})$)`),
    "src/app.ts -> package:fast-check",
  ],
];

describe("imports", () => {
  test("point only where they may", async () => {
    const arrows = await readArrows(join(import.meta.dir, "../.."));
    expect(arrows).toContain("src/link.ts -> src/errors.ts");
    expect(violations(arrows)).toEqual([]);
  });

  test.each(rules)("%s", (name, _, example) => {
    expect(violations([example])).toContain(`${name}: ${example}`);
  });

  test("are found however they are written, cycles too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "post-msg-imports-"));
    try {
      await Bun.write(
        join(folder, "src/http/a.ts"),
        `import type { B } from "../xmpp/b.ts";
import {
  one,
  type Two as Zwei,
} from '../session/c.ts';
export * as d from "../session/d.ts";
import "@xmpp/xml/lib/x.js";
/** Not taken from "elsewhere". */
const later = () => import("../../test/e.ts");
`,
      );
      await Bun.write(join(folder, "src/xmpp/b.ts"), `export { later } from "./c.ts";\n`);
      await Bun.write(join(folder, "src/xmpp/c.ts"), `import { b } from "./b.ts";\n`);
      expect(violations(await readArrows(folder))).toEqual([
        "http knows neither session nor xmpp: src/http/a.ts -> src/xmpp/b.ts",
        "http knows neither session nor xmpp: src/http/a.ts -> src/session/c.ts",
        "http knows neither session nor xmpp: src/http/a.ts -> src/session/d.ts",
        "@xmpp only in xmpp: src/http/a.ts -> package:@xmpp/xml",
        "src knows nothing outside src but package.json: src/http/a.ts -> test/e.ts",
        "no cycles: src/xmpp/b.ts -> src/xmpp/c.ts -> src/xmpp/b.ts",
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function violations(arrows: readonly Arrow[]): string[] {
  const wrong = rules.flatMap(([name, forbidden]) =>
    arrows.filter((arrow) => forbidden.test(arrow)).map((arrow) => `${name}: ${arrow}`),
  );
  return [...wrong, ...findCycles(arrows).map((cycle) => `no cycles: ${cycle}`)];
}
