/**
 * The version of what is built here, from git. At a tag vX.Y.Z it is X.Y.Z. Elsewhere package.json names the release that
 * is worked on, and git which commit of it: "0.2.0-dev.14.g1a2b3c4", or after a release whose number nobody has raised
 * yet "0.2.0+3.g1a2b3c4". ".dirty": not all of it is committed. Where there is no git, it is package.json's.
 * `version.ts` prints it.
 */

import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dir, "..");

export function version(folder = root, planned: string = manifest.version): string {
  const description = git(folder, "describe", "--tags", "--match", "v[0-9]*", "--long", "--dirty", "--abbrev=10");
  const [, tag, since, hash = "", dirty] = /^v(.+)-(\d+)-g([0-9a-f]+)(-dirty)?$/.exec(description ?? "") ?? [];
  const ending = dirty === undefined ? "" : ".dirty";
  if (tag !== undefined && since !== undefined) {
    if (since === "0" && ending === "") return tag;
    return `${tag === planned ? `${tag}+` : `${planned}-dev.`}${since}.g${hash}${ending}`;
  }
  const commits = git(folder, "rev-list", "--count", "HEAD");
  if (commits === undefined) return planned;
  const changed = git(folder, "status", "--porcelain", "--untracked-files=no") === "" ? "" : ".dirty";
  return `${planned}-dev.${commits}.g${git(folder, "rev-parse", "--short=10", "HEAD")}${changed}`;
}

/** When the commit was made; what is built from it carries no other time. */
export function commitTime(folder = root): Date {
  const given = process.env["SOURCE_DATE_EPOCH"];
  const seconds = given ?? git(folder, "log", "-1", "--format=%ct") ?? "0";
  return new Date(Number(seconds) * 1000);
}

/** Undefined where git has no answer. The folder may be another user's: `sudo make install`. */
function git(folder: string, ...words: readonly string[]): string | undefined {
  const command = ["git", "-c", "safe.directory=*", "-C", folder, ...words];
  const { success, stdout } = Bun.spawnSync(command, { stderr: "ignore" });
  return success ? stdout.toString().trim() : undefined;
}

if (import.meta.main) process.stdout.write(`${version()}\n`);
