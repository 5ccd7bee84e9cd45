/** What is inside of the executable: the npm packages of which a module was bundled, as the build reports them. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface PackageInside {
  readonly name: string;
  readonly version: string;
  /** SPDX. */
  readonly licence: string;
  readonly licenceText: string;
  /** Subresource integrity, from bun.lock: "sha512-…". */
  readonly integrity: string;
  readonly homepage: string | undefined;
  /** Those that are inside, too. */
  readonly dependencies: readonly PackageId[];
}

/** "elysia@1.4.30" */
export type PackageId = string;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly homepage?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** As far as it is used here. */
interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
}
interface Lockfile {
  readonly packages: Readonly<Record<string, readonly unknown[]>>;
}

const root = join(import.meta.dir, "..");
/** For packages that come without the text of their licence. */
const ownTexts = join(import.meta.dir, "licences");

export const idOf = ({ name, version }: Pick<PackageInside, "name" | "version">): PackageId => `${name}@${version}`;

/** Rejects when a package has no licence, or is not in the lockfile with a checksum. */
export async function readContents(metafile: string): Promise<readonly PackageInside[]> {
  const { inputs }: Metafile = await Bun.file(metafile).json();
  const folders = [...new Set(Object.keys(inputs).flatMap(folderOf))].sort();
  const manifests = new Map<string, Manifest>();
  for (const folder of folders) manifests.set(folder, await Bun.file(join(root, folder, "package.json")).json());
  const { packages }: Lockfile = (await import(join(root, "bun.lock"), { with: { type: "jsonc" } })).default;

  const found: PackageInside[] = [];
  for (const [folder, manifest] of manifests) {
    const { name, version, license, homepage } = manifest;
    if (typeof license !== "string") throw new Error(`${name} ${version} names no licence.`);
    found.push({
      name,
      version,
      licence: license,
      licenceText: await readLicence(folder, manifest),
      integrity: integrityOf(packages, folder, manifest),
      homepage: typeof homepage === "string" ? homepage : undefined,
      dependencies: dependenciesOf(folder, manifests),
    });
  }
  return found.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** "node_modules/pino/lib/proto.js" -> "node_modules/pino"; our own modules have none. */
function folderOf(module: string): readonly string[] {
  const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0];
  return folder === undefined ? [] : [folder];
}

async function readLicence(folder: string, { name, version }: Manifest): Promise<string> {
  // Beside a bundle stand the licences of what is in it.
  const named = /^(licen[cs]e|copying|notice)|^swagger-ui-bundle\.js\.license/i;
  const files = (await readdir(join(root, folder))).filter((file) => named.test(file)).sort();
  const own = Bun.file(join(ownTexts, `${name.replaceAll("/", "+")}.txt`));
  if (files.length === 0 && !(await own.exists())) {
    throw new Error(
      `${name} ${version} comes without the text of its licence, and packaging/licences has none for it.`,
    );
  }
  const texts = files.map((file) => Bun.file(join(root, folder, file)).text());
  return (await Promise.all(files.length === 0 ? [own.text()] : texts)).join("\n").replaceAll("\r\n", "\n").trim();
}

function integrityOf(packages: Lockfile["packages"], folder: string, { name, version }: Manifest): string {
  const key = folder.replace(/^node_modules\//, "").replaceAll("/node_modules/", "/");
  const [id, , , integrity] = packages[key] ?? [];
  if (id !== `${name}@${version}` || typeof integrity !== "string" || !integrity.startsWith("sha512-")) {
    throw new Error(`${name} ${version} is not in bun.lock with its checksum.`);
  }
  return integrity;
}

/** As Node finds them: in the package's own node_modules first, then further up. */
function dependenciesOf(folder: string, manifests: ReadonlyMap<string, Manifest>): readonly PackageId[] {
  const { dependencies = {}, peerDependencies = {} } = manifests.get(folder) ?? {};
  const places = [`${folder}/node_modules`, "node_modules"];
  const inside = Object.keys({ ...dependencies, ...peerDependencies }).flatMap((name) => {
    const manifest = places.map((place) => manifests.get(`${place}/${name}`)).find((each) => each !== undefined);
    return manifest === undefined ? [] : [idOf(manifest)];
  });
  return inside.sort();
}
