/**
 * The documentation page: Swagger UI, whose files are inside the executable, on the API's description. Nothing of it comes
 * from elsewhere, and its policy lets the browser load nothing from elsewhere.
 */

import styles from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };

export interface PageFile {
  readonly type: string;
  readonly body: string | Bun.BunFile;
}

/** What the page may do: what it shows are its own files and small pictures in its styles; it asks its own server alone. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Addresses are relative, so that a proxy may put a path before them all. */
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>post-msg</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`;

/** Swagger UI would otherwise ask a validator on the internet. */
const start = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
`;

export const docsPath = "/docs";

/** By path. */
export const pageFiles: Readonly<Record<string, PageFile>> = {
  [docsPath]: { type: "text/html; charset=utf-8", body: page },
  [`${docsPath}/start.js`]: { type: "text/javascript; charset=utf-8", body: start },
  [`${docsPath}/swagger-ui-bundle.js`]: { type: "text/javascript; charset=utf-8", body: Bun.file(script) },
  [`${docsPath}/swagger-ui.css`]: { type: "text/css; charset=utf-8", body: Bun.file(styles) },
};
