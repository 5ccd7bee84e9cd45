/** The version: what the build says, which has it from git; from the source, package.json's. */

import manifest from "../package.json" with { type: "json" };

/** Set by packaging/compile.ts. */
declare const POST_MSG_VERSION: string | undefined;

export const version: string = typeof POST_MSG_VERSION === "string" ? POST_MSG_VERSION : manifest.version;
