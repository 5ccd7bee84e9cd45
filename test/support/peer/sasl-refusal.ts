/** Thrown where a negotiation failed in a way that lets the client try again (RFC 6120 section 6.4.5). */
export class SaslRefusal extends Error {}
