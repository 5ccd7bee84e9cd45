/** The endpoint of mod_post_msg: `[http] path`, and the recipient behind it. */

import { chooseParser } from "./parse.ts";
import { recipientsInPath } from "./recipient.ts";
import { writeReceipt } from "./reply.ts";
import type { Endpoint } from "./send-message.ts";

export function createMessageEndpoint(path: string): Endpoint {
  const recipients = recipientsInPath(path);
  return {
    readPath: (url) => ({ to: recipients(url) }),
    chooseParser: (headers) => chooseParser(headers),
    taken: 201,
    writeReceipt,
  };
}
