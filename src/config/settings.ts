/**
 * The one place where a setting exists: its name, type, bounds, default and help line. Loading, and whatever documents
 * the settings, read this.
 */

import { connectRule, listenRule, parseConnect, parseListen, parsePath, pathRule } from "./addresses.ts";
import { parseRecipient, recipientsRule } from "./recipients.ts";
import { boolean, choice, duration, integer, list, type SettingType, size, text, unwiseBelow } from "./values.ts";

export interface Setting {
  readonly type: SettingType<unknown>;
  /** As it would be written in the file; undefined: the setting may be absent. */
  readonly default: string | number | boolean | readonly string[] | undefined;
  readonly help: string;
  /** For the documents, where the default shows nothing. */
  readonly example?: string | boolean;
}

export type Settings = Readonly<Record<string, Setting>>;

const caFileRule = `must be the path of a file with PEM certificates`;

export const sections = {
  http: {
    listen: {
      type: text(listenRule, parseListen),
      default: "127.0.0.1:5280",
      help: `Where to listen: "host:port", "[::1]:5280" or "unix:/run/post-msg/http.sock".`,
    },
    path: {
      type: text(pathRule, parsePath),
      default: "/msg",
      help: `The path under which messages are taken; not "/", "/rest", "/health" or "/docs".`,
    },
    max_body: {
      type: size("1KiB", "256KiB"),
      default: "64KiB",
      help: "The longest request body that is taken.",
    },
    forbidden_characters: {
      type: choice("refuse", "replace"),
      default: "refuse",
      help: "What XML 1.0 cannot carry: refuse the message, or replace each such character with U+FFFD.",
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
  },
  delivery: {
    ack_timeout: {
      type: duration("100ms", "60s"),
      default: "5s",
      help: "The longest wait for the server's acknowledgement, to which the bytes outstanding at 3,000 B/s are added.",
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
  insecure_plaintext: {
    type: boolean(),
    default: false,
    example: true,
    help: "Sends passwords without TLS; only with a loopback connect.",
  },
} as const satisfies Settings;
