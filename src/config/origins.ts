/** Origins of web pages (RFC 6454), as in allowed_origins: exactly as a browser writes them, never all of them. */

import { showText } from "./problem.ts";
import type { Read } from "./values.ts";

export const originRule = `must be a list of origins such as "https://status.example.com"; "*" would let every web page in`;

export function parseOrigin(text: string): Read<string> {
  const url = URL.parse(text);
  const ofHttp = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === null || !ofHttp) return { rule: `${originRule}; ${showText(text)} is none` };
  return url.origin === text ? { value: text } : { rule: `${originRule}; a browser writes "${url.origin}"` };
}
