/** What is said to be inside of the executable: the bill of materials, judged by CycloneDX's own schema. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import manifest from "../../package.json" with { type: "json" };
import { readContents } from "../../packaging/contents.ts";
import runtimes from "../../packaging/runtimes/package.json" with { type: "json" };
import { billOfMaterials } from "../../packaging/sbom.ts";
import { targets } from "../../packaging/targets.ts";
import { makeTempFolder } from "../support/temp-folder.ts";

const metafile = join(import.meta.dir, "../../build/modules.json");
const options = {
  version: "1.2.3",
  time: new Date("2026-11-28T12:00:00Z"),
  runtimeVersion: manifest.devDependencies.bun,
  direct: Object.keys(manifest.dependencies),
};

test("the bill of materials is CycloneDX, the same every time, and names every package that was bundled", async () => {
  const packages = await readContents(metafile);
  const bill = billOfMaterials(packages, options);
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  expect(await validator.validate(bill)).toBeNull();
  expect(billOfMaterials(await readContents(metafile), options)).toBe(bill);
  const { components, dependencies } = JSON.parse(bill);
  const names: string[] = components.map(({ name }: { name: string }) => name);
  // Only types come from it.
  const bundled = options.direct.filter((name) => name !== "@commander-js/extra-typings");
  expect(names).toEqual(expect.arrayContaining([...bundled, "@xmpp/connection", "bun"]));
  expect(dependencies[0].dependsOn).toContain(`pkg:npm/elysia@${manifest.dependencies.elysia}`);
});

test("the schema refuses a bill with a mistake", async () => {
  const bill = billOfMaterials(await readContents(metafile), options).replace('"SHA-512"', '"SHA-511"');
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(bill)).not.toBeNull();
});

test("a package without a licence of its own, or of ours for it, cannot be packed", async () => {
  const folder = await makeTempFolder();
  const file = await folder.write("modules.json", JSON.stringify({ inputs: { "node_modules/bun/install.js": {} } }));
  expect(readContents(file)).rejects.toThrow(
    `bun ${manifest.devDependencies.bun} comes without the text of its licence`,
  );
  await folder.remove();
});

test("every target has a runtime, of the very version that builds", () => {
  const versions = new Map(Object.entries(runtimes.dependencies));
  for (const { runtime } of targets)
    expect([runtime, versions.get(runtime)]).toEqual([runtime, manifest.devDependencies.bun]);
  expect(versions.size).toBe(targets.length);
});
