/** Text and attribute values as XML 1.0 writes them, so that a reader gets back just what was given. */

const inText = /[&<>\r]/;
const inAttribute = /[&<>"'\t\n\r]/;
const allInText = new RegExp(inText, "g");
const allInAttribute = new RegExp(inAttribute, "g");

const references: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // Literally they would reach the reader as line feeds or spaces (XML 1.0 sections 2.11 and 3.3.3).
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
};

export function xmlText(value: string): string {
  return inText.test(value) ? value.replace(allInText, toReference) : value;
}

/** For either kind of quotes. */
export function xmlAttribute(value: string): string {
  return inAttribute.test(value) ? value.replace(allInAttribute, toReference) : value;
}

function toReference(character: string): string {
  return references[character] ?? character;
}
