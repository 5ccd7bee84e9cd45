/** The version, which stands in package.json alone. */

import manifest from "../../package.json" with { type: "json" };

export const version = manifest.version;
