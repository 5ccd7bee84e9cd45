/**
 * What an examination of an XMPP host finds on its way in, step by step. This is all that the doctor (src/doctor) knows of
 * XMPP and all that the XMPP side (src/xmpp) has to provide.
 */

import type { Credentials } from "./message.ts";

export const steps = [
  "name",
  "connection",
  "stream",
  "tls",
  "certificate",
  "mechanisms",
  "login",
  "acknowledgements",
  "limits",
  "message",
] as const;
export type Step = (typeof steps)[number];

/** One question to the hosts file or DNS. */
export interface Query {
  readonly type: "SRV" | "A" | "AAAA";
  readonly name: string;
  /** Addresses, or "xmpp.example.com port 5222"; empty: there is no such record. */
  readonly answers: readonly string[];
  /** Why there was no answer at all. */
  readonly failure?: string;
}

export interface EndpointFound {
  readonly hostname: string;
  readonly port: number;
  readonly tls: "starttls" | "direct";
}

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
}

/** What a step brought to light; strings may hold anything that the server sent. */
export type Finding =
  /** Where the server is looked for, in the order in which it is tried. */
  | { readonly step: "name"; readonly endpoints: readonly EndpointFound[] }
  | {
      readonly step: "connection";
      readonly endpoint: EndpointFound;
      readonly address: string;
      /** The address that it was connected from, which is what the server bans. */
      readonly localAddress: string | undefined;
      /** Endpoints before this one, which did not accept a connection. */
      readonly missed: readonly EndpointFound[];
    }
  /** The first stream features. */
  | { readonly step: "stream"; readonly features: readonly string[] }
  | { readonly step: "tls"; readonly protocol: string; readonly cipher: string }
  | ({ readonly step: "certificate" } & Certificate)
  | { readonly step: "mechanisms"; readonly offered: readonly string[]; readonly chosen: string }
  | { readonly step: "login"; readonly mechanism: string }
  /** XEP-0198. */
  | { readonly step: "acknowledgements"; readonly offered: boolean; readonly resumable: boolean }
  /** XEP-0478; undefined: the server does not say. */
  | { readonly step: "limits"; readonly maxStanzaBytes: number | undefined }
  | { readonly step: "message"; readonly jid: string };

export interface Watch {
  /** A step begins; the one before it is done. */
  begin(step: Step): void;
  /** Called at most once a step, while it is under way. */
  found(finding: Finding): void;
  /** Each question of a lookup, as it is answered. */
  asked(query: Query): void;
}

/**
 * Goes the way of a login and tells `watch` what it finds; with credentials up to a message that the account sends to
 * itself. Rejects with a Failure, which belongs to the step that was begun last.
 */
export type Examine = (
  domain: string,
  credentials: Credentials | undefined,
  watch: Watch,
  signal: AbortSignal,
) => Promise<void>;
