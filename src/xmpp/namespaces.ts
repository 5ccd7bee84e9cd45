/** The namespaces of RFC 6120 and of the XEPs that the link itself speaks. */

export const namespaces = {
  stream: "http://etherx.jabber.org/streams",
  client: "jabber:client",
  tls: "urn:ietf:params:xml:ns:xmpp-tls",
  sasl: "urn:ietf:params:xml:ns:xmpp-sasl",
  /** XEP-0440 */
  saslChannelBinding: "urn:xmpp:sasl-cb:0",
  bind: "urn:ietf:params:xml:ns:xmpp-bind",
  streamErrors: "urn:ietf:params:xml:ns:xmpp-streams",
  stanzaErrors: "urn:ietf:params:xml:ns:xmpp-stanzas",
  /** XEP-0198 */
  streamManagement: "urn:xmpp:sm:3",
  /** XEP-0199 */
  ping: "urn:xmpp:ping",
} as const;
