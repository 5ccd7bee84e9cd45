/** The XML namespaces that the scripted peer and the receiver speak. */

export const clientNamespace = "jabber:client";
export const streamNamespace = "http://etherx.jabber.org/streams";
export const streamErrorNamespace = "urn:ietf:params:xml:ns:xmpp-streams";
export const stanzaErrorNamespace = "urn:ietf:params:xml:ns:xmpp-stanzas";
export const tlsNamespace = "urn:ietf:params:xml:ns:xmpp-tls";
export const saslNamespace = "urn:ietf:params:xml:ns:xmpp-sasl";
export const bindNamespace = "urn:ietf:params:xml:ns:xmpp-bind";
export const sessionNamespace = "urn:ietf:params:xml:ns:xmpp-session";
/** XEP-0198 */
export const managementNamespace = "urn:xmpp:sm:3";
/** XEP-0199 */
export const pingNamespace = "urn:xmpp:ping";
/** XEP-0030 */
export const discoInfoNamespace = "http://jabber.org/protocol/disco#info";
/** XEP-0092 */
export const versionNamespace = "jabber:iq:version";
/** XEP-0440 */
export const channelBindingNamespace = "urn:xmpp:sasl-cb:0";
/** XEP-0478 */
export const limitsNamespace = "urn:xmpp:stream-limits:0";
