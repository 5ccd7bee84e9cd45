/** The few words of the man(7) macro language that the manual pages are written in. */

/** A line of running text: nothing in it is taken for a request or an escape. */
export function text(words: string): string {
  const escaped = words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return escaped.replace(/^(?=[.'])/gm, "\\&");
}

export const bold = (words: string) => `\\fB${text(words)}\\fR`;
export const italic = (words: string) => `\\fI${text(words)}\\fR`;

export function titleLine(name: string, section: number, { version, date }: Edition): string {
  return `.TH ${name.toUpperCase()} ${section} ${date} "post\\-msg ${text(version)}"`;
}

export const section = (name: string) => `.SH ${name.includes(" ") ? `"${name}"` : name}`;
export const subsection = (words: string) => `.SS "${text(words).replaceAll('"', "\\(dq")}"`;
export const paragraph = (words: string) => `.PP\n${words}`;

/** A term (already marked up) and what there is to say of it. */
export const item = (term: string, words: string) => `.TP\n${term}\n${words}`;

/** Set as it is, indented. */
export function example(lines: string): string {
  return `.PP\n.in +4n\n.nf\n${text(lines)}\n.fi\n.in`;
}

/** What a page says of its own age; the same commit makes the same page. */
export interface Edition {
  readonly version: string;
  /** Of the commit: 2026-11-28. */
  readonly date: string;
}
