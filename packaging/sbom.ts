/** The bill of materials, as CycloneDX 1.6 in JSON: the packages inside, the runtime, and what is linked into it. */

import { createHash } from "node:crypto";
import type { PackageInside } from "./contents.ts";
import { runtimeParts, runtimeSource } from "./runtime-parts.ts";

export interface SbomOptions {
  readonly version: string;
  readonly time: Date;
  readonly runtimeVersion: string;
  /** Our direct dependencies. */
  readonly direct: readonly string[];
}

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

export function billOfMaterials(packages: readonly PackageInside[], options: SbomOptions): string {
  const { version, time, runtimeVersion, direct } = options;
  const root = `pkg:generic/post-msg@${encodeURIComponent(version)}`;
  const runtime = `pkg:npm/bun@${runtimeVersion}`;
  const refs = new Map(packages.map((each) => [`${each.name}@${each.version}`, packageUrl(each)]));
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`${root} ${time.toISOString()}`)}`,
    version: 1,
    metadata: {
      timestamp: time.toISOString(),
      component: { type: "application", "bom-ref": root, name: "post-msg", version, purl: root, ...licence("MIT") },
    },
    components: [...packages.map(describePackage), describeRuntime(runtime, runtimeVersion)],
    dependencies: [
      { ref: root, dependsOn: [runtime, ...packages.filter(({ name }) => direct.includes(name)).map(packageUrl)] },
      ...packages.map((each) => ({
        ref: packageUrl(each),
        dependsOn: each.dependencies.flatMap((id) => refs.get(id) ?? []),
      })),
      { ref: runtime, dependsOn: [] },
    ],
  } satisfies Json;
  return `${JSON.stringify(document, null, 2)}\n`;
}

function describePackage(each: PackageInside): Json {
  const digest = Buffer.from(each.integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": packageUrl(each),
    name: each.name,
    version: each.version,
    purl: packageUrl(each),
    hashes: [{ alg: "SHA-512", content: digest }],
    ...licence(each.licence),
  };
}

function describeRuntime(ref: string, version: string): Json {
  return {
    type: "platform",
    "bom-ref": ref,
    name: "bun",
    version,
    purl: ref,
    ...licence("MIT"),
    externalReferences: [{ type: "vcs", url: runtimeSource }],
    components: runtimeParts.map((part) => ({
      type: "library",
      name: part.name,
      ...(part.licence === undefined ? {} : licence(part.licence)),
      externalReferences: [{ type: "vcs", url: part.source }],
    })),
  };
}

function licence(expression: string): { readonly licenses: Json } {
  const known = /^[\w.-]+$/.test(expression) ? { license: { id: expression } } : { expression };
  return { licenses: [known] };
}

function packageUrl({ name, version }: Pick<PackageInside, "name" | "version">): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

/** The same name has the same UUID (RFC 9562 version 8). */
function uuidOf(name: string): string {
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
