/** The API's description as a reader of OpenAPI has it, and values judged by its schemas with a validator of their own. */

import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { describeApi } from "../../src/http/api/document.ts";

export type Json = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operation: Json;
}

export interface ApiDescription {
  readonly document: Json;
  readonly operations: readonly Operation[];
  /** What a path of names leads to, through references. */
  at(...names: readonly (string | number)[]): Json;
  /** What is wrong with a value, by the schema of this name; none: nothing. */
  problemsOf(schema: string, value: unknown): readonly unknown[];
}

export function readApiDescription(): ApiDescription {
  // Without what JSON cannot say.
  const document: Json = JSON.parse(JSON.stringify(describeApi({ path: "/msg", rest: true, version: "1.2.3" })));
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
  addFormats(ajv);
  ajv.addKeyword("components");
  ajv.addSchema({ $id: "api", components: document["components"] }, undefined, undefined, false);

  function at(...names: readonly (string | number)[]): Json {
    let value: unknown = document;
    for (const name of names) {
      value = isObject(value) ? value[name] : undefined;
      const reference = isObject(value) ? value["$ref"] : undefined;
      if (typeof reference === "string") value = at(...reference.slice(2).split("/"));
    }
    if (isObject(value)) return value;
    throw new Error(`There is no ${names.join(" ")} in the description.`);
  }

  const operations = Object.entries(at("paths")).flatMap(([path, item]) =>
    Object.keys(isObject(item) ? item : {}).map((method) => ({ path, method, operation: at("paths", path, method) })),
  );
  return {
    document,
    operations,
    at,
    problemsOf(schema, value) {
      const id = `api#/components/schemas/${schema}`;
      const check = ajv.getSchema(id);
      if (check === undefined) throw new Error(`There is no schema ${schema} in the description.`);
      return check(value) ? [] : (check.errors ?? []);
    },
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
