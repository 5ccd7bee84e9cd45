/** Texts that a message can have in several languages (RFC 6121 sections 5.2.3 and 5.2.4). */

import type { Text } from "../message.ts";
import { languageOf, textOf } from "../xml/element.ts";
import { xmlAttribute, xmlText } from "../xml/escape.ts";
import { clientNamespace, isOnly, type Shape } from "./shape.ts";

/** `<subject>value</subject>`, or one with `xml:lang` for each language. */
export function localized(name: string): Shape<Text> {
  return {
    namespace: clientNamespace,
    names: [name],
    write: (value) => writeTexts(name, value),
    read: (element) => {
      const lang = languageOf(element);
      const attributes = element.attributes.filter((each) => each.name !== "lang" || each.namespace === "");
      if (!isOnly({ ...element, attributes }, [], [])) return undefined;
      return lang === undefined ? textOf(element) : { [lang]: textOf(element) };
    },
  };
}

export function writeTexts(name: string, value: Text): string {
  if (typeof value === "string") return `<${name}>${xmlText(value)}</${name}>`;
  const each = Object.entries(value).map(
    ([lang, text]) => `<${name} xml:lang="${xmlAttribute(lang)}">${xmlText(text)}</${name}>`,
  );
  return each.join("");
}
