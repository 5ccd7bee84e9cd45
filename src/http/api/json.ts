/** What the description is made of. */

export type Json = Readonly<Record<string, unknown>>;

export function reference(kind: "schemas" | "responses" | "headers" | "parameters", name: string): Json {
  return { $ref: `#/components/${kind}/${name}` };
}
