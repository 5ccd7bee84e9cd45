/** What a server does for a client that is logged in: takes messages, acknowledges them, answers queries. */

import { childOf, escapeXml, firstChildOf, textOf, type XmlElement } from "../xml-element.ts";
import { Silence } from "./apply-fault.ts";
import type { PeerConnection } from "./connection.ts";
import type { ManagedSession } from "./managed-session.ts";
import {
  clientNamespace,
  discoInfoNamespace,
  managementNamespace,
  pingNamespace,
  sessionNamespace,
  stanzaErrorNamespace,
  versionNamespace,
} from "./namespaces.ts";
import type { HandledMessage } from "./options.ts";
import { iqResult, stanzaError } from "./replies.ts";

/** What the connections of one peer share. */
export interface PeerState {
  readonly domain: string;
  /** By the id that `<enabled/>` told. */
  readonly sessions: Map<string, ManagedSession>;
  onMessage(message: HandledMessage): void;
}

/** Runs until the stream ends, by throwing `Silence`. */
export async function serveSession(
  connection: PeerConnection,
  state: PeerState,
  session: ManagedSession,
): Promise<never> {
  const bounces: string[] = [];
  connection.session = session;
  session.holder = connection.number;
  // A client may enable stream management only once, and only where no session was resumed.
  let enabled = state.sessions.has(session.id);
  for (;;) {
    const stanza = await connection.next();
    // Taken up, or asked after, on another connection, which was told how far this one had come.
    if (session.holder !== connection.number) throw new Silence();
    if (stanza.namespace === managementNamespace) {
      if (stanza.name === "enable" && !enabled && connection.behaviour.streamManagement) {
        enabled = true;
        await enable(connection, state, session, stanza);
      } else if (stanza.name === "r" && enabled) {
        await acknowledge(connection, session, bounces);
      } else if (stanza.name === "a" && enabled) {
        session.settle(Number(stanza.attributes["h"]));
      } else {
        const condition = `<unexpected-request xmlns='${stanzaErrorNamespace}'/>`;
        connection.send(`<failed xmlns='${managementNamespace}'>${condition}</failed>`);
      }
    } else {
      await handle(connection, state, session, stanza, bounces, enabled);
    }
  }
}

async function handle(
  connection: PeerConnection,
  state: PeerState,
  session: ManagedSession,
  stanza: XmlElement,
  bounces: string[],
  enabled: boolean,
): Promise<void> {
  if (stanza.namespace !== clientNamespace || !["message", "presence", "iq"].includes(stanza.name)) {
    connection.fail("unsupported-stanza-type");
  }
  if (stanza.name === "message") {
    await connection.reach("message");
    const message = describeMessage(stanza, connection);
    session.count(message);
    state.onMessage(message);
    const bounce = connection.behaviour.bounce?.(message);
    if (bounce?.when === "before-ack") connection.send(stanzaError(stanza, bounce));
    if (bounce?.when === "after-ack") bounces.push(stanzaError(stanza, bounce));
  } else {
    session.count();
  }
  if (connection.behaviour.onStanza?.(stanza, connection)) return;
  // RFC 6121 section 4.2.2: a client's own presence comes back to it.
  if (stanza.name === "presence" && stanza.attributes["to"] === undefined) {
    connection.deliver(`<presence from='${escapeXml(connection.jid ?? "")}'/>`);
  }
  if (stanza.name === "iq") await answerQuery(connection, session, stanza, enabled ? [] : bounces);
}

/** XEP-0198 section 3. */
async function enable(
  connection: PeerConnection,
  state: PeerState,
  session: ManagedSession,
  request: XmlElement,
): Promise<void> {
  const wanted = /^(true|1)$/.test(request.attributes["resume"] ?? "");
  const resumable = wanted && connection.behaviour.resumption !== "not-offered";
  if (resumable) state.sessions.set(session.id, session);
  const attributes = resumable ? ` id='${session.id}' resume='true' max='300'` : "";
  session.begin();
  await connection.say("enable", `<enabled xmlns='${managementNamespace}'${attributes}/>`);
}

/** XEP-0198 section 4, as far as the test's ack policy lets it. */
async function acknowledge(connection: PeerConnection, session: ManagedSession, bounces: string[]): Promise<void> {
  const { ackPolicy } = connection.behaviour;
  if (ackPolicy === "never") return;
  const total = ackPolicy === "all" ? session.handled : await ackPolicy(session.handled);
  if (total === undefined) return;
  await connection.say("ack", `<a xmlns='${managementNamespace}' h='${total}'/>${bounces.splice(0).join("")}`);
  session.acknowledge(total);
}

async function answerQuery(
  connection: PeerConnection,
  session: ManagedSession,
  iq: XmlElement,
  bounces: string[],
): Promise<void> {
  const { ping, software, discoFeatures } = connection.behaviour;
  const type = iq.attributes["type"];
  if (type !== "get" && type !== "set") return;
  const payload = firstChildOf(iq);
  if (payload?.namespace === pingNamespace && ping) {
    await connection.say("ping", iqResult(iq) + bounces.splice(0).join(""));
    session.acknowledge(session.handled);
  } else if (payload?.namespace === versionNamespace && software !== undefined) {
    const { name, version } = software;
    const answer = `<name>${escapeXml(name)}</name><version>${escapeXml(version)}</version>`;
    connection.send(iqResult(iq, `<query xmlns='${versionNamespace}'>${answer}</query>`));
  } else if (payload?.namespace === discoInfoNamespace && discoFeatures !== undefined) {
    const features = discoFeatures.map((name) => `<feature var='${escapeXml(name)}'/>`).join("");
    const identity = "<identity category='server' type='im' name='Scripted peer'/>";
    connection.send(iqResult(iq, `<query xmlns='${discoInfoNamespace}'>${identity}${features}</query>`));
  } else if (payload?.namespace === sessionNamespace) {
    connection.send(iqResult(iq));
  } else {
    connection.send(stanzaError(iq, { condition: "service-unavailable" }));
  }
}

function describeMessage(element: XmlElement, connection: PeerConnection): HandledMessage {
  const { id = "", to = "", type = "normal" } = element.attributes;
  const body = textOf(childOf(element, "body", clientNamespace));
  return {
    id,
    to,
    type,
    body,
    element,
    connection: connection.number,
    from: connection.jid ?? "",
    acknowledged: false,
  };
}
