/**
 * The field `html`: the caller's fragment, read by a strict parser, reduced to what XHTML-IM lets through, and written
 * anew, so that what leaves here is well-formed and closes only what it opened.
 */

import { Failure } from "../errors.ts";
import { writeElement } from "../xml/element.ts";
import { xmlText } from "../xml/escape.ts";
import { parseFragment, XmlError } from "../xml/parse.ts";
import { readAsText } from "./html-text.ts";
import { reduceXhtml, xhtml } from "./xhtml-im.ts";

export interface Html {
  /** To stand inside `<body xmlns='http://www.w3.org/1999/xhtml'>`; empty where nothing is left. */
  readonly fragment: string;
  /** The same as plain text. */
  readonly text: string;
}

export const noHtml: Html = { fragment: "", text: "" };

/** mod_rest's payloads have a `<body/>` around the fragment; like any element that XHTML-IM has no place for, it gives way. */
export function readHtml(source: string): Html {
  const left = reduceXhtml(parse(source));
  const fragment = left.map((part) => (typeof part === "string" ? xmlText(part) : writeElement(part, xhtml)));
  return { fragment: fragment.join(""), text: readAsText(left) };
}

function parse(source: string) {
  try {
    return parseFragment(source, xhtml);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new Failure(
      "malformed_html",
      `The field "html" could not be used: ${error.message}; a well-formed XHTML fragment is needed.`,
      { pointer: "/html" },
    );
  }
}
