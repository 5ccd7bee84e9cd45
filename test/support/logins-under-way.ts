/** Counts at the scripted peer how many logins are under way: from the client's first header until its session begins. */

import type { PeerConnection } from "./peer/connection.ts";
import type { PeerBehaviour } from "./peer/options.ts";

export interface LoginsUnderWay {
  /** For `startPeer`. */
  readonly answers: PeerBehaviour["answers"];
  readonly most: number;
  readonly done: number;
}

export function countLoginsUnderWay(): LoginsUnderWay {
  const underWay = new Set<PeerConnection>();
  let most = 0;
  let done = 0;
  return {
    answers: {
      header: (proper, connection) => {
        underWay.add(connection);
        most = Math.max(most, underWay.size);
        connection.wire.closed.then(() => underWay.delete(connection));
        return proper;
      },
      enable: (proper, connection) => {
        underWay.delete(connection);
        done += 1;
        return proper;
      },
    },
    get most() {
      return most;
    },
    get done() {
      return done;
    },
  };
}
