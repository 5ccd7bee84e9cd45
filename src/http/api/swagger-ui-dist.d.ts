/** With `{ type: "file" }`, the import of a file is a path under which it can be read; the executable has it inside. */

declare module "swagger-ui-dist/swagger-ui-bundle.js" {
  const path: string;
  export default path;
}

declare module "swagger-ui-dist/swagger-ui.css" {
  const path: string;
  export default path;
}
