/** What is wrong with a configuration file, and how it is said: file, line, key, rule, value received. */

export interface ConfigProblem {
  /** As the user named it. */
  readonly file: string;
  /** From 1; undefined when the file as a whole is meant. */
  readonly line: number | undefined;
  /** `[http] max_body`; undefined when no key could be made out. */
  readonly key: string | undefined;
  /** What must be: "must be a size …". */
  readonly rule: string;
  /** As it stands in the file, made printable and cut; undefined when there is nothing to show. */
  readonly received: string | undefined;
}

const maxReceivedLength = 80;

/** `post-msg.toml:7: [http] max_body: must be a size such as "64KiB", got "lots"` */
export function formatProblem({ file, line, key, rule, received }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const subject = key === undefined ? "" : `${key}: `;
  return `${place}: ${subject}${rule}${received === undefined ? "" : `, got ${received}`}`;
}

/** How a key is called in problems: `[http] max_body`, `[hosts."example.com"] connect`, `[http]`. */
export function keyLabel(path: readonly string[]): string {
  const [section, ...rest] = path;
  if (section === undefined) return "";
  if (section === "hosts" && rest.length > 0) {
    const [host, ...keys] = rest;
    return [`[hosts.${showText(host ?? "")}]`, keys.join(".")].filter((part) => part !== "").join(" ");
  }
  return rest.length === 0 ? `[${section}]` : `[${section}] ${rest.join(".")}`;
}

/** What stands behind such a name has no place in this file, and none in a log or on a screen either. */
const secretName = /passw|passphrase|secret/i;
const secretAssigned = /((?:\bpass|passw|passphrase|secret)[\w-]*["']?\s*=).*/is;

/** What was received for a key; undefined where it is a secret. */
export function showReceived(path: readonly string[] | undefined, source: string): string | undefined {
  const names = path?.[0] === "hosts" && path.length > 2 ? path.slice(2) : path;
  const isSecret = names?.some((name) => name === "pass" || secretName.test(name)) === true;
  return isSecret ? undefined : showSource(source.replace(secretAssigned, "$1 …"));
}

/** A piece of the file that is safe to show: one line, printable, cut, without what may be a password in a URI. */
export function showSource(source: string): string {
  const printable = source
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replaceAll(/\/\/[^/@"']*@/g, "//…@");
  return printable.length > maxReceivedLength ? `${printable.slice(0, maxReceivedLength)}…` : printable;
}

export function showText(text: string): string {
  return showSource(JSON.stringify(text));
}
