/** README and docs/ as a reader meets them: their code blocks, links and headings. */

import { join } from "node:path";

export const projectFolder = join(import.meta.dir, "../..");

export interface CodeBlock {
  /** "docs/install.md" */
  readonly file: string;
  /** Where its text begins, counted from 1. */
  readonly line: number;
  /** What stands behind ```; undefined for a block that is made by indenting. */
  readonly language: string | undefined;
  readonly text: string;
}

/** Runs of minutes and hours, which are themselves what proves that they work. */
export const ownRuns = /^(?:make (?:test|bench|soak|dist)\b[^\n]*\n)+$/;

/** Commands that need a machine of their own, with root and a fresh system: `make test-package` has one. */
export const onOwnMachine: readonly string[] = ["docs/install.md"];

/** README.md first, then docs/ in the order of the alphabet. */
export async function findDocuments(): Promise<readonly string[]> {
  const docs = await Array.fromAsync(new Bun.Glob("docs/*.md").scan(projectFolder));
  return ["README.md", ...docs.sort()];
}

export function readDocument(file: string): Promise<string> {
  return Bun.file(join(projectFolder, file)).text();
}

export async function readBlocks(): Promise<readonly CodeBlock[]> {
  const documents = (await findDocuments()).map(async (file) => findBlocks(file, await readDocument(file)));
  return (await Promise.all(documents)).flat();
}

export function findBlocks(file: string, text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    // In a list, it stands as far in as the item's text.
    const [, margin = "", language] = /^( {0,3})```(\S*)/.exec(line) ?? [];
    const indented = /^ {4}\S/.test(line) && (lines[index - 1] ?? "").trim() === "";
    if (language === undefined && !indented) continue;
    const start = language === undefined ? index : index + 1;
    const isOver = (each: string) =>
      language === undefined ? !/^( {4}|\s*$)/.test(each) : each.startsWith(`${margin}\`\`\``);
    let end = start;
    while (end < lines.length && !isOver(lines[end] ?? "")) end++;
    const within = lines.slice(start, end).map((each) => each.slice(language === undefined ? 4 : margin.length));
    blocks.push({ file, line: start + 1, language, text: `${within.join("\n").trimEnd()}\n` });
    index = end;
  }
  return blocks;
}

/** The anchors that GitHub makes of headings. */
export function findAnchors(text: string): readonly string[] {
  const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

export interface Link {
  /** Relative to the document; "" for the document itself. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Those that lead to a place within the project. */
export function findLinks(text: string): readonly Link[] {
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      return { path, anchor };
    });
}
