/**
 * Counts at the scripted peer how many logins are under way, from the client's first header until its session begins, and
 * how many of them are proving a password by SCRAM.
 */

import type { PeerConnection } from "./peer/connection.ts";
import type { PeerBehaviour } from "./peer/options.ts";

export interface LoginsUnderWay {
  /** For `startPeer`. */
  readonly answers: PeerBehaviour["answers"];
  readonly most: number;
  readonly mostProving: number;
  readonly done: number;
}

export function countLoginsUnderWay(): LoginsUnderWay {
  const underWay = new Set<PeerConnection>();
  const proving = new Set<PeerConnection>();
  let most = 0;
  let mostProving = 0;
  let done = 0;
  return {
    answers: {
      header: (proper, connection) => {
        underWay.add(connection);
        most = Math.max(most, underWay.size);
        connection.wire.closed.then(() => {
          underWay.delete(connection);
          proving.delete(connection);
        });
        return proper;
      },
      challenge: (proper, connection) => {
        proving.add(connection);
        mostProving = Math.max(mostProving, proving.size);
        return proper;
      },
      success: (proper, connection) => {
        proving.delete(connection);
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
    get mostProving() {
      return mostProving;
    },
    get done() {
      return done;
    },
  };
}
