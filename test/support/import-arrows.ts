/** The import lines of src as arrows from file to file or package, and the circles that they make. */

import { join, posix } from "node:path";

/** `src/a.ts -> src/b.ts`, `src/a.ts -> package:elysia`, `src/a.ts -> node:fs` */
export type Arrow = `${string} -> ${string}`;

/** Type-only, dynamic and re-exporting imports too. */
export async function readArrows(root: string): Promise<Arrow[]> {
  const imported =
    /^\s*(?:import|export)\s(?:[\w$\s{},*]*?\sfrom\s*)?["']([^"']+)["']|\b(?:import|require)\(\s*["']([^"']+)["']/gm;
  const files = await Array.fromAsync(new Bun.Glob("src/**/*.ts").scan(root));
  const arrows = files.sort().map(async (from) => {
    const text = await Bun.file(join(root, from)).text();
    return Array.from(text.matchAll(imported), ([, name, dynamic = ""]): Arrow => {
      return `${from} -> ${target(from, name ?? dynamic)}`;
    });
  });
  return (await Promise.all(arrows)).flat();
}

function target(from: string, name: string): string {
  if (name.startsWith(".")) return posix.join(posix.dirname(from), name);
  if (/^(node|bun)(:|$)/.test(name)) return name;
  return `package:${name.split("/", name.startsWith("@") ? 2 : 1).join("/")}`;
}

/** Each circle once, from the file in which it is first met. */
export function findCycles(arrows: readonly Arrow[]): string[] {
  const imports = new Map<string, string[]>();
  for (const arrow of arrows) {
    const [from = "", to = ""] = arrow.split(" -> ");
    imports.set(from, [...(imports.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] => {
    if (way.includes(file)) return [[...way.slice(way.indexOf(file)), file].join(" -> ")];
    if (done.has(file)) return [];
    const found = (imports.get(file) ?? []).flatMap((to) => walk(to, [...way, file]));
    done.add(file);
    return found;
  };
  return [...imports.keys()].flatMap((file) => walk(file, []));
}
