/**
 * The one place where a setting exists: its name, type, bounds, default and help line. Loading, and whatever documents
 * the settings, read this.
 */

import {
  connectRule,
  listenRule,
  modeRule,
  parseConnect,
  parseListen,
  parseMode,
  parsePath,
  pathRule,
} from "./addresses.ts";
import { parseNetwork, proxyRule } from "./networks.ts";
import { originRule, parseOrigin } from "./origins.ts";
import { parseRecipient, recipientsRule } from "./recipients.ts";
import {
  boolean,
  choice,
  duration,
  durationOr,
  integer,
  list,
  type SettingType,
  size,
  text,
  textOrNone,
  unwiseBelow,
} from "./values.ts";

export interface Setting {
  readonly type: SettingType<unknown>;
  /** As it would be written in the file; undefined: the setting may be absent. */
  readonly default: string | number | boolean | readonly string[] | undefined;
  readonly help: string;
  /** For the documents, where the default shows nothing. */
  readonly example?: string | boolean;
  /** A change takes effect at SIGHUP, and not only when post-msg starts again. All settings of [hosts] are such. */
  readonly reloads?: true;
}

export type Settings = Readonly<Record<string, Setting>>;

const caFileRule = `must be the path of a file with PEM certificates`;
const certRule = `must be the path of a file with PEM certificates, the listener's own first`;
const keyRule = `must be the path of a file with a PEM private key`;

export const sections = {
  http: {
    listen: {
      type: text(listenRule, parseListen),
      default: "127.0.0.1:5280",
      help: `Where to listen: "host:port", "[::1]:5280" or "unix:/run/post-msg/http.sock".`,
    },
    tls_cert: {
      type: text(certRule, (path) => ({ value: path })),
      default: "",
      example: "/etc/post-msg/cert.pem",
      help: "With tls_key: HTTPS. Certificates in PEM, the listener's own first; read again at SIGHUP.",
      reloads: true,
    },
    tls_key: {
      type: text(keyRule, (path) => ({ value: path })),
      default: "",
      example: "/etc/post-msg/key.pem",
      help: "The private key of tls_cert, in PEM. Relative paths of both start at this file's folder.",
      reloads: true,
    },
    socket_mode: {
      type: text(modeRule, parseMode),
      default: "0660",
      help: "Who may connect to the Unix socket: its permissions, in octal.",
    },
    reuse_port: {
      type: boolean(),
      default: false,
      help: "Lets a new process take the address over while the old one still answers: a restart that loses no request.",
    },
    path: {
      type: text(pathRule, parsePath),
      default: "/msg",
      help: `The path under which messages are taken; not "/", "/rest", "/health" or "/docs".`,
      reloads: true,
    },
    rest: {
      type: boolean(),
      default: true,
      help: "Messages are taken under /rest, too, as mod_rest takes them.",
    },
    max_body: {
      type: size("1KiB", "256KiB"),
      default: "64KiB",
      help: "The longest request body that is taken.",
      reloads: true,
    },
    max_in_flight: {
      type: integer(1, 1_000_000),
      default: 1000,
      help: "The most requests that are served at one time; beyond it, 503 at once.",
      reloads: true,
    },
    max_recipients: {
      type: integer(1, 10_000),
      default: 100,
      help: "The most recipients of one request, aliases counted by their members.",
      reloads: true,
    },
    forbidden_characters: {
      type: choice("refuse", "replace"),
      default: "refuse",
      help: "What XML 1.0 cannot carry: refuse the message, or replace each such character with U+FFFD.",
      reloads: true,
    },
    allowed_origins: {
      type: list(originRule, parseOrigin, 0),
      default: [],
      help: "Origins of other sites whose web pages may send messages (CORS).",
      reloads: true,
    },
    trusted_proxies: {
      type: list(proxyRule, parseNetwork, 0),
      default: [],
      help: "Addresses and networks whose X-Forwarded-For and Forwarded headers are believed.",
      reloads: true,
    },
    wait_max: {
      type: duration("0s", "5m"),
      default: "60s",
      help: `The longest wait for a delivery receipt that a request may ask for ("Prefer: wait=N").`,
      reloads: true,
    },
  },
  sessions: {
    idle: {
      type: unwiseBelow(duration("1s", "24h"), "11m", "late bounces will be missed: servers report some only then"),
      default: "15m",
      help: "An account's session is closed when it has not been used for so long.",
    },
    max: {
      type: integer(1, 100_000),
      default: 1000,
      help: "The most sessions that are open at one time.",
    },
    login_timeout: {
      type: duration("100ms", "60s"),
      default: "15s",
      help: "The longest time for a login, from the name lookup to the bound resource, waiting for a turn included.",
    },
    login_concurrency: {
      type: integer(1, 10_000),
      default: 32,
      help: "The most logins at one time; with several hosts, no host may have more than half of them. Of four or more, a quarter is kept for accounts that have logged in before.",
    },
    verify: {
      type: duration("1s", "24h"),
      default: "5m",
      help: "How long a password is believed after the server has accepted it; then it is proven again.",
    },
    keepalive: {
      type: duration("1s", "1h"),
      default: "60s",
      help: "A connection on which nothing was heard for so long is asked whether it still lives.",
    },
  },
  delivery: {
    ack_timeout: {
      type: duration("100ms", "60s"),
      default: "5s",
      help: "The longest wait for the server's acknowledgement, to which the bytes outstanding at 2,000 B/s are added.",
    },
    max_pending: {
      type: integer(1, 1_000_000),
      default: 10_000,
      help: "The most messages of one account that may be on their way; beyond it, 503 at once.",
    },
    max_pending_bytes: {
      type: size("256KiB", "1024MiB"),
      default: "8MiB",
      help: "The most bytes of one account's messages that may be on their way.",
    },
  },
  rooms: {
    idle: {
      type: duration("1s", "24h"),
      default: "1h",
      help: "A room is left when its sender has sent nothing to it for so long.",
    },
  },
  throttle: {
    remember_failure: {
      type: duration("0s", "24h"),
      default: "5m",
      help: "How long a wrong password is answered from memory.",
    },
    failure_delay: {
      type: duration("0s", "10s"),
      default: "300ms",
      help: "A refused login is answered at a multiple of this time, so that the time tells nothing.",
    },
    address_per_minute: {
      type: integer(1, 1_000_000),
      default: 10,
      help: "The most failed logins a minute from one client address (IPv6: from one /64).",
    },
    address_per_day: {
      type: integer(1, 1_000_000),
      default: 50,
      help: "The most failed logins a day from one client address.",
    },
    account_per_hour: {
      type: integer(1, 1_000_000),
      default: 100,
      help: "The most failed logins an hour for one account; addresses where it has logged in lately are not locked out.",
    },
    server_failures: {
      type: integer(1, 1_000_000),
      default: 8,
      help: "The most failed logins at one XMPP server since the last success there, within an hour; servers ban for more.",
    },
    server_failures_burst: {
      type: integer(1, 1_000_000),
      default: 4,
      help: "The same within 30 seconds, for servers that count in shorter times.",
    },
  },
  metrics: {
    listen: {
      type: textOrNone(listenRule, parseListen),
      default: "",
      example: "127.0.0.1:9590",
      help: `Where Prometheus reads metrics, at /metrics; empty: nowhere.`,
    },
  },
  log: {
    level: {
      type: choice("debug", "info", "warn", "error"),
      default: "info",
      help: "The least important events that are logged.",
    },
    format: {
      type: choice("auto", "json", "pretty"),
      default: "auto",
      help: "How events are written; auto: pretty on a terminal, otherwise JSON.",
    },
    jids: {
      type: boolean(),
      default: false,
      help: "Whole addresses of senders and recipients in the log, which otherwise has hashes; at level debug, always.",
    },
  },
} as const satisfies Record<string, Settings>;

/** What may stand under `[hosts."example.com"]`. */
export const hostSettings = {
  connect: {
    type: text(connectRule, parseConnect),
    default: undefined,
    example: "xmpp://192.0.2.7:5222",
    help: "The XMPP server's address: xmpp:// for STARTTLS (5222), xmpps:// for direct TLS (5223); default: DNS SRV.",
  },
  ca_file: {
    type: text(caFileRule, (path) => (path === "" ? { rule: caFileRule } : { value: path })),
    default: undefined,
    example: "/etc/post-msg/ca.pem",
    help: "Certificates trusted for this host beside the system's; a relative path starts at this file's folder.",
  },
  recipients: {
    type: list(recipientsRule, parseRecipient),
    default: ["*"],
    help: `Who may be written to: "*", "bob@example.com", "example.org" (the domain JID alone), "*@example.com" (its users), "*.example.org" (everybody at its sub-domains).`,
  },
  grace: {
    type: durationOr("auto", "0s", "10s"),
    default: "auto",
    help: "How long a refusal still counts after the server's acknowledgement; auto: 0 on Prosody, 10ms elsewhere.",
  },
  max_stanza: {
    type: size("10000B", "10MiB"),
    default: "256KiB",
    help: "What the server takes in one stanza; where it tells (XEP-0478), the smaller of the two.",
  },
  insecure_plaintext: {
    type: boolean(),
    default: false,
    example: true,
    help: "Sends passwords without TLS; only with a loopback connect.",
  },
} as const satisfies Settings;
