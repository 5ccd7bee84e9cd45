/** What must hold of the dependencies. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import lockfile from "../../bun.lock" with { type: "jsonc" };
import manifest from "../../package.json" with { type: "json" };
import runtimes from "../../packaging/runtimes/bun.lock" with { type: "jsonc" };

const root = join(import.meta.dir, "../..");
const direct = Object.keys(manifest.dependencies);

interface LockedPackage {
  readonly name: string;
  readonly facts: { readonly hasInstallScript?: boolean; readonly dependencies?: Readonly<Record<string, string>> };
}

const locked = new Map(
  Object.entries(lockfile.packages as Record<string, readonly unknown[]>).map(([key, [id, , facts]]) => {
    const name = String(id).replace(/@[^@]+$/, "");
    return [key, { name, facts } as LockedPackage];
  }),
);

test("there are at most 12 direct runtime dependencies, each of an exact version and with its reason in ARCHITECTURE.md", async () => {
  expect(direct.length).toBeLessThanOrEqual(12);
  for (const version of Object.values(manifest.dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const architecture = await Bun.file(join(root, "ARCHITECTURE.md")).text();
  const section = architecture.split("## Dependencies\n")[1]?.split("\n## ")[0] ?? "";
  const named = [...section.matchAll(/^\| ([^|]+) \| [^|]{10,} \|$/gm)].map(([, names = ""]) => names);
  const reasons = named.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
  expect(reasons.sort()).toEqual([...direct].sort());
});

test("no package that users get has an install script", () => {
  const scripted = [...runtimeClosure()].filter((key) => locked.get(key)?.facts.hasInstallScript === true);
  expect(runtimeClosure().size).toBeGreaterThan(direct.length);
  expect(scripted).toEqual([]);
  // The mark is there where there is a script, so that looking for it finds something.
  expect(locked.get("bun")?.facts.hasInstallScript).toBe(true);
});

test.each([
  ["bun.lock", lockfile.packages, 50],
  ["packaging/runtimes/bun.lock", runtimes.packages, 6],
])("every package of %s has its checksum", (_, packages: Readonly<Record<string, readonly unknown[]>>, least) => {
  const all = Object.entries(packages);
  expect(all.length).toBeGreaterThanOrEqual(least);
  const without = all.filter(([, entry]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(String(entry.at(-1))));
  expect(without.map(([key]) => key)).toEqual([]);
});

/** By the lockfile's keys: "pino", "pino-pretty/sonic-boom". */
function runtimeClosure(): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (name: string, user: string) => {
    const key = [`${user}/${name}`, name].find((each) => locked.has(each));
    if (key === undefined || found.has(key)) return;
    found.add(key);
    for (const each of Object.keys(locked.get(key)?.facts.dependencies ?? {})) add(each, key);
  };
  for (const name of direct) add(name, "");
  return found;
}
