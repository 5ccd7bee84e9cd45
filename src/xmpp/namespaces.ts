/** The namespaces of RFC 6120 and of the XEPs that post-msg speaks. */

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
  /** XEP-0030 */
  discoInfo: "http://jabber.org/protocol/disco#info",
  /** XEP-0184 */
  receipts: "urn:xmpp:receipts",
  /** XEP-0359 */
  stanzaIds: "urn:xmpp:sid:0",
  /** XEP-0071 */
  xhtmlIm: "http://jabber.org/protocol/xhtml-im",
  xhtml: "http://www.w3.org/1999/xhtml",
  /** XEP-0203 */
  delay: "urn:xmpp:delay",
  /** XEP-0334 */
  hints: "urn:xmpp:hints",
  /** XEP-0045 */
  muc: "http://jabber.org/protocol/muc",
  mucUser: "http://jabber.org/protocol/muc#user",
  mucOwner: "http://jabber.org/protocol/muc#owner",
  /** XEP-0004 */
  dataForms: "jabber:x:data",
  /** XEP-0478 */
  streamLimits: "urn:xmpp:stream-limits:0",
} as const;
