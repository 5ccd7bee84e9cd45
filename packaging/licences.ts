/** The file with the licences of all that is inside of the executable: the packages, the runtime and its parts. */

import { join } from "node:path";
import type { PackageInside } from "./contents.ts";
import { runtimeParts, runtimeSource } from "./runtime-parts.ts";

const commonLicences = ["LGPL-2.0", "LGPL-2.1", "Apache-2.0"];
const rule = `\n\n${"=".repeat(80)}\n\n`;

export async function licencesFile(packages: readonly PackageInside[], runtimeVersion: string): Promise<string> {
  const texts = commonLicences.map(async (name) => {
    const text = await Bun.file(join(import.meta.dir, `licences/${name}.txt`)).text();
    return `${name}\n\n${text.trim()}`;
  });
  return [
    heading,
    runtimeNotice(runtimeVersion),
    ...packages.map((each) => `${each.name} ${each.version} (${each.licence})\n\n${each.licenceText}`),
    ...(await Promise.all(texts)),
  ]
    .join(rule)
    .concat("\n");
}

const heading = `post-msg is one executable. Its own licence is in the file LICENSE; this file has those of what else is
inside: the runtime with its parts, the packages, and at the end the texts of licences that several share.`;

function runtimeNotice(version: string): string {
  const parts = runtimeParts.map(({ name, licence, source }) => {
    return `  ${name.padEnd(16)} ${(licence ?? "see its source").padEnd(22)} ${source}`;
  });
  return `Bun ${version} (MIT)
${runtimeSource}

Bun is the runtime. These are linked into it:

${parts.join("\n")}

JavaScriptCore and tinycc are under the LGPL. Their source, as it is used here, is where the table says; Bun's own
documentation tells how to build it with changes to them. The source of post-msg with its build ("make build") is all
that is needed to make the executable anew on a runtime that was changed so: no part of it is kept back.`;
}
