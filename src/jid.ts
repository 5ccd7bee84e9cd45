/** XMPP addresses (RFC 7622): parsed, normalised and compared in one place. */

/** A normalised address. Equal addresses have equal strings. */
export interface Jid {
  readonly local: string | undefined;
  readonly domain: string;
  readonly resource: string | undefined;
  /** `local@domain`, or `domain`. */
  readonly bare: string;
  /** With the resource where there is one. */
  readonly full: string;
}

/** A problem is the end of a sentence: "… is not an XMPP address: <problem>". */
export type JidResult = { readonly jid: Jid } | { readonly problem: string };

export declare function parseJid(text: string): JidResult;
