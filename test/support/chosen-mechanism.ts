/** Which SASL mechanism a login chooses, seen where it is written to the stream: a real server's offer is not ours to see. */

import { spyOn } from "bun:test";
import { XmppStream } from "../../src/xmpp/stream.ts";

export interface MechanismSpy extends Disposable {
  /** Of each `<auth/>` so far. */
  readonly chosen: readonly string[];
}

export function spyOnMechanisms(): MechanismSpy {
  const spy = spyOn(XmppStream.prototype, "push");
  return {
    get chosen() {
      return spy.mock.calls.flatMap(([text]) => /^<auth [^>]*mechanism="([^"]*)"/.exec(text)?.[1] ?? []);
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}
