/** A caller's value as it may stand in a sentence: quoted, on one line, not endless. */

const maxQuoted = 80;

export function quote(value: string): string {
  const characters = [...value];
  const shown = characters.length > maxQuoted ? `${characters.slice(0, maxQuoted).join("")}…` : value;
  return JSON.stringify(shown);
}
