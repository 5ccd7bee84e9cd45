/** What a test can ask of the scripted peer. */

import type { SecureVersion } from "node:tls";
import type { Authority, IssuedCertificate } from "../ca.ts";
import type { XmlElement } from "../xml-element.ts";
import type { PeerConnection } from "./connection.ts";
import type { FaultPlan, Step } from "./fault.ts";
import type { StanzaErrorDetails } from "./replies.ts";

/** What can be changed while the peer runs (`Peer.change`); it counts from the next step on, for open connections too. */
export interface PeerBehaviour {
  /** Bare JID -> password. Default: alice@example.com -> secret. */
  readonly accounts: Readonly<Record<string, string>>;
  /** "direct" is XEP-0368; "plain" offers SASL without TLS. Default: "starttls". */
  readonly security: "starttls" | "direct" | "plain";
  /** Default: one of `authority` for `domain`. */
  readonly certificate: IssuedCertificate;
  readonly minVersion: SecureVersion | undefined;
  readonly maxVersion: SecureVersion | undefined;
  /** In the order offered. Default: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, PLAIN; the -PLUS forms work as well. */
  readonly mechanisms: readonly string[];
  /** XEP-0440: the types that are listed; only tls-exporter works. Default: no list at all. */
  readonly channelBindings: readonly string[] | undefined;
  /** Of SCRAM. Default: 4096. */
  readonly iterations: number;
  /** XEP-0198. Without it, the answer to a ping is the acknowledgement. Default: true. */
  readonly streamManagement: boolean;
  /** "refuse-with-count" tells `h` in `<failed/>`. Default: "accept". */
  readonly resumption: "accept" | "refuse" | "refuse-with-count" | "not-offered";
  /** XEP-0199 is supported; otherwise a ping gets service-unavailable. Default: true. */
  readonly ping: boolean;
  /** The answer to XEP-0092; undefined: service-unavailable. */
  readonly software: { readonly name: string; readonly version: string } | undefined;
  /** The features in the server's disco#info (XEP-0030); undefined: service-unavailable. */
  readonly discoFeatures: readonly string[] | undefined;
  /** XEP-0478's `<max-bytes/>`; undefined: not told. */
  readonly maxStanzaBytes: number | undefined;
  /**
   * What an `<r/>` is answered with: the true count, nothing, or what the function makes of the true count (undefined:
   * nothing). Default: "all".
   */
  readonly ackPolicy: "all" | "never" | ((handled: number) => number | undefined | Promise<number | undefined>);
  /** Asked for each message that was handled; what it returns is sent back as an error. */
  readonly bounce: ((message: HandledMessage) => Bounce | undefined) | undefined;
  /** Makes what is sent at a step out of what would be right there. A fault at that step gets what this returns. */
  readonly answers: Partial<Record<Step, (proper: string, connection: PeerConnection) => string | Promise<string>>>;
  /** Sees each stanza of a bound client before the peer does; true: the peer leaves it alone (but counts it). */
  readonly onStanza: ((stanza: XmlElement, connection: PeerConnection) => boolean) | undefined;
  readonly fault: FaultPlan | undefined;
}

export interface PeerOptions extends Partial<PeerBehaviour> {
  /** Default: example.com. Clients who ask for another one get host-unknown, unless an account has it. */
  readonly domain?: string;
  /** Default: 127.0.0.1. */
  readonly host?: "127.0.0.1" | "::1";
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Signs the default certificate. Default: one made on the spot. */
  readonly authority?: Authority;
  /** False: keeps neither bytes, stanzas, messages nor ended connections, for runs of millions. Default: true. */
  readonly record?: boolean;
}

export interface HandledMessage {
  readonly id: string;
  readonly to: string;
  readonly type: string;
  readonly body: string;
  readonly element: XmlElement;
  /** The number of the connection on which it came, counted from 1. */
  readonly connection: number;
  /** The full JID of the sender. */
  readonly from: string;
  /** An ack that covers it, or the answer to a ping behind it, was handed to the socket. */
  acknowledged: boolean;
}

export interface Bounce extends StanzaErrorDetails {
  /** "after-ack": in the same write as the next ack or pong and behind it. */
  readonly when: "before-ack" | "after-ack";
}
