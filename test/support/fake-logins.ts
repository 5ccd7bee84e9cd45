/** A session cache over logins and proofs that a test decides: by a table of passwords, at once, unless it says otherwise. */

import { Failure } from "../../src/errors.ts";
import type { Link, LinkEvents, LoginTerms } from "../../src/link.ts";
import { createLog } from "../../src/log.ts";
import type { Credentials } from "../../src/message.ts";
import { type CacheOptions, createCache, type SessionCache } from "../../src/session/cache.ts";
import { jid } from "./jid.ts";
import { noRooms } from "./no-rooms.ts";
import { openThrottle } from "./open-throttle.ts";

const never = new AbortController().signal;

export interface FakeLogins {
  readonly cache: SessionCache;
  /** Bare JID -> password; what is changed counts from the next login on. */
  readonly passwords: Map<string, string>;
  /** Bare JIDs, in the order in which their logins were admitted, and proofs likewise. */
  readonly logins: string[];
  readonly proofs: string[];
  /** Of the last login of each account. */
  readonly events: Map<string, LinkEvents>;
  /** Bare JIDs whose streams were closed by the cache. */
  readonly closed: string[];
  /** What was logged, by message. */
  readonly logged: string[];
  /** The most logins and proofs that were under way at a time. */
  mostUnderWay: number;
  /** How many logins and proofs there were, with those that were not admitted. */
  connections: number;
  /** Awaited by each login and proof before it asks to be admitted. */
  connect: () => Promise<void>;
  /** The server that a domain's logins find. Default: one of its name. */
  connectedTo: (domain: string) => string;
  /** Aborts when the streams of all logins from now on end. */
  streamEnds: AbortController | undefined;
  /** Awaited by each login and proof before the password is looked at. */
  delay: (credentials: Credentials) => Promise<void>;
}

export function makeFakeLogins(overrides: Partial<CacheOptions> = {}): FakeLogins {
  let underWay = 0;
  const logged: string[] = [];
  const check = async (credentials: Credentials, signal: AbortSignal): Promise<void> => {
    fake.mostUnderWay = Math.max(fake.mostUnderWay, ++underWay);
    try {
      await Promise.race([fake.delay(credentials), aborted(signal)]);
    } finally {
      underWay -= 1;
    }
    if (fake.passwords.get(credentials.account.bare) === credentials.password) return;
    throw new Failure("credentials_rejected", "Wrong.");
  };
  const authenticate = async (list: string[], credentials: Credentials, { signal, admit }: LoginTerms) => {
    const { bare, domain } = credentials.account;
    fake.connections += 1;
    await fake.connect();
    const prove = () => {
      list.push(bare);
      return check(credentials, signal);
    };
    await admit(fake.connectedTo(domain), prove, fake.streamEnds?.signal ?? never);
  };
  const cache = createCache({
    login: async (credentials, events, terms) => {
      await authenticate(fake.logins, credentials, terms);
      const { bare } = credentials.account;
      fake.events.set(bare, events);
      return makeLink(bare, events, fake.closed);
    },
    verify: (credentials, terms) => authenticate(fake.proofs, credentials, terms),
    session: { ackTimeoutMs: 5000, maxPending: 100, maxPendingBytes: 100_000 },
    loginTimeoutMs: 5000,
    idleMs: 60_000,
    roomIdleMs: 3_600_000,
    max: 10_000,
    verifyMs: 300_000,
    loginConcurrency: 32,
    domains: () => 1,
    serverOf: (domain) => domain,
    throttle: openThrottle,
    log: createLog({
      level: "debug",
      format: "json",
      destination: { write: (line) => void logged.push(JSON.parse(line).msg) },
    }),
    ...overrides,
  });
  const fake: FakeLogins = {
    cache,
    passwords: new Map(),
    logins: [],
    proofs: [],
    events: new Map(),
    closed: [],
    logged,
    mostUnderWay: 0,
    connections: 0,
    streamEnds: undefined,
    connect: () => Promise.resolve(),
    connectedTo: (domain) => domain,
    delay: () => Promise.resolve(),
  };
  return fake;
}

export function credentialsOf(bare: string, password: string): Credentials {
  return { account: jid(bare), password };
}

function makeLink(bare: string, events: LinkEvents, closed: string[]): Link {
  return {
    rooms: noRooms,
    jid: jid(`${bare}/gateway`),
    send: (stanzas) => {
      queueMicrotask(() => events.acknowledged(stanzas.length));
      return true;
    },
    close: async () => {
      closed.push(bare);
      events.lost(new Failure("stream_closed", "Closed."));
    },
    abort: (reason) => events.lost(reason),
    graceMs: 0,
    maxStanzaBytes: undefined,
    resumable: false,
    reconnect: () => Promise.reject(new Failure("server_unreachable", "Nobody there.")),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
