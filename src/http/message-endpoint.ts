/** The endpoint of mod_post_msg: `[http] path`, and the recipient behind it. */

import { chooseParser } from "./parse.ts";
import { recipientInPath } from "./recipient.ts";
import { writeReceipt } from "./reply.ts";
import type { Endpoint } from "./send-message.ts";

export function createMessageEndpoint(path: string): Endpoint {
  return {
    readPath: (url) => ({ to: recipientInPath(url, path) }),
    chooseParser: (headers) => chooseParser(headers),
    writeReceipt,
  };
}
