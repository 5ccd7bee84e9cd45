/**
 * `make dist`: everything that is published, in dist/. The same commit makes the same bytes, on any machine of the kind
 * that the first lines of `main` ask for.
 */

import { createHash } from "node:crypto";
import { access, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { unsign } from "macho-unsign";
import manifest from "../package.json" with { type: "json" };
import { compile } from "./compile.ts";
import { readContents } from "./contents.ts";
import { makeDebianPackage } from "./debian.ts";
import { makePackageFolder } from "./package-folder.ts";
import { run } from "./run.ts";
import { billOfMaterials } from "./sbom.ts";
import { type Target, targets } from "./targets.ts";
import { commitTime, version as versionOf } from "./version.ts";

const root = join(import.meta.dir, "..");
const destination = join(root, "dist");
const scratch = join(root, "build/dist");
const metafile = join(scratch, "modules.json");
const version = versionOf();
const time = commitTime();

await main();

async function main(): Promise<void> {
  refuseMistakenTag();
  for (const folder of [destination, scratch]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  for (const target of targets) {
    const folder = await makeFolder(target);
    say(await pack(folder, `post-msg-${version}-${target.name}`));
    if (target.debian !== undefined) say(await packForDebian(folder, target.debian));
  }
  const bill = billOfMaterials(await readContents(metafile), {
    version,
    time,
    runtimeVersion: manifest.devDependencies.bun,
    direct: Object.keys(manifest.dependencies),
  });
  await Bun.write(join(destination, `post-msg-${version}.cdx.json`), bill);
  await writeSums();
  await rm(scratch, { recursive: true });
  say(`dist/SHA256SUMS, for version ${version}`);
}

/** A release is what package.json says it is. */
function refuseMistakenTag(): void {
  if (!/^\d+\.\d+\.\d+$/.test(version) || version === manifest.version) return;
  throw new Error(`The tag says ${version}, package.json ${manifest.version}: raise the one or move the other.`);
}

/** What is packed, as a folder of the name that it unpacks to. */
async function makeFolder(target: Target): Promise<string> {
  const runtime = join(import.meta.dir, "runtimes/node_modules", target.runtime, "bin/bun");
  await access(runtime).catch(() => {
    throw new Error(`There is no runtime "${runtime}"; "make dist" fetches it.`);
  });
  const executable = join(scratch, target.name, "post-msg");
  await compile({ outfile: executable, version, target: { name: target.bun, runtime }, metafile });
  if (target.name === "macos-x64") await dropSignature(executable);
  const folder = join(scratch, target.name, `post-msg-${version}-${target.name}`);
  await makePackageFolder(folder, { executable, metafile });
  return folder;
}

/**
 * Bun signs what it makes for arm64, and leaves the runtime's own signature on what it makes for Intel, where it is no
 * longer true and macOS would end the program. None is allowed there.
 */
async function dropSignature(executable: string): Promise<void> {
  const unsigned = unsign(await Bun.file(executable).bytes());
  if (unsigned === null) throw new Error(`"${executable}" has no signature to take away; is it signed rightly now?`);
  await Bun.write(executable, unsigned, { mode: 0o755 });
}

async function pack(folder: string, name: string): Promise<string> {
  const file = join(destination, `${name}.tar.gz`);
  const plain = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${time.getTime() / 1000}`];
  const archive = join(scratch, `${name}.tar`);
  await run(["tar", "--format=ustar", ...plain, "-cf", archive, "-C", join(folder, ".."), name]);
  await run(["gzip", "-n", archive]);
  await run(["mv", `${archive}.gz`, file]);
  return file;
}

function packForDebian(folder: string, architecture: "amd64" | "arm64"): Promise<string> {
  return makeDebianPackage({
    folder,
    architecture,
    version,
    time,
    scratch: join(scratch, `debian-${architecture}`),
    destination,
  });
}

async function writeSums(): Promise<void> {
  const names = (await readdir(destination)).sort();
  const lines = names.map(async (name) => {
    const digest = createHash("sha256").update(await Bun.file(join(destination, name)).bytes());
    return `${digest.digest("hex")}  ${name}\n`;
  });
  await Bun.write(join(destination, "SHA256SUMS"), (await Promise.all(lines)).join(""));
}

function say(line: string): void {
  process.stdout.write(`${line.replace(`${root}/`, "")}\n`);
}
