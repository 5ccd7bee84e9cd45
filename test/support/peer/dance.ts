/** The way of a well-behaved server with one client, from the first header to the last. */

import { randomUUID } from "node:crypto";
import { childOf, escapeXml, textOf, type XmlElement } from "../xml-element.ts";
import type { PeerConnection } from "./connection.ts";
import * as features from "./features.ts";
import { type ManagedSession, makeManagedSession } from "./managed-session.ts";
import { bindNamespace, managementNamespace, tlsNamespace } from "./namespaces.ts";
import { iqResult, streamHeader } from "./replies.ts";
import { authenticate } from "./sasl-server.ts";
import { type PeerState, serveSession } from "./serve-session.ts";

/** Returns when the client is gone; throws `Silence` when a fault or the end of the stream ended it. */
export async function dance(connection: PeerConnection, state: PeerState): Promise<void> {
  const { behaviour } = connection;
  if (behaviour.security === "direct") connection.expectTls();
  await connection.reach("tcp");
  if (behaviour.security === "direct") await startTls(connection);
  await greet(connection, state, "header");
  if (behaviour.security === "starttls") {
    await connection.say("features", features.beforeTls());
    await upgrade(connection);
    await greet(connection, state, "tls-header");
    await connection.say("tls-features", features.beforeLogin(behaviour));
  } else {
    await connection.say("features", features.beforeLogin(behaviour));
  }
  const account = await authenticate(connection);
  await greet(connection, state, "restart-header");
  await connection.say("restart-features", features.afterLogin(behaviour));
  await serveSession(connection, state, await openSession(connection, state, account));
}

async function greet(
  connection: PeerConnection,
  state: PeerState,
  step: "header" | "tls-header" | "restart-header",
): Promise<void> {
  const header = await connection.nextHeader();
  connection.domain = header.attributes["to"] ?? state.domain;
  const accounts = Object.keys(connection.behaviour.accounts);
  const known = connection.domain === state.domain || accounts.some((jid) => jid.endsWith(`@${connection.domain}`));
  if (!known) connection.fail("host-unknown");
  await connection.say(step, streamHeader(connection.domain, randomUUID()));
}

async function upgrade(connection: PeerConnection): Promise<void> {
  const stanza = await connection.next();
  if (stanza.name !== "starttls" || stanza.namespace !== tlsNamespace) connection.fail("policy-violation");
  await connection.reach("starttls");
  connection.expectRestart();
  connection.expectTls();
  await connection.say("proceed", `<proceed xmlns='${tlsNamespace}'/>`);
  await startTls(connection);
}

async function startTls(connection: PeerConnection): Promise<void> {
  await connection.reach("tls");
  const { certificate, minVersion, maxVersion } = connection.behaviour;
  try {
    await connection.wire.startTls({
      certificate,
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
    });
  } catch (error) {
    connection.tlsError = error;
    throw error;
  }
}

/** Binds a resource (RFC 6120 section 7) or takes up an old session (XEP-0198 section 5). */
async function openSession(connection: PeerConnection, state: PeerState, account: string): Promise<ManagedSession> {
  for (;;) {
    const stanza = await connection.next();
    if (stanza.name === "resume" && stanza.namespace === managementNamespace) {
      const session = await resume(connection, state, account, stanza);
      if (session !== undefined) return session;
      continue;
    }
    const request = childOf(stanza, "bind", bindNamespace);
    if (stanza.name !== "iq" || request === undefined) connection.fail("not-authorized");
    const resource = textOf(childOf(request, "resource")) || randomUUID();
    connection.jid = `${account}/${resource}`;
    const bound = `<bind xmlns='${bindNamespace}'><jid>${escapeXml(connection.jid)}</jid></bind>`;
    await connection.say("bind", iqResult(stanza, bound));
    return makeManagedSession(connection.jid);
  }
}

async function resume(
  connection: PeerConnection,
  state: PeerState,
  account: string,
  request: XmlElement,
): Promise<ManagedSession | undefined> {
  const session = state.sessions.get(request.attributes["previd"] ?? "");
  const { resumption } = connection.behaviour;
  if (session !== undefined) session.holder = connection.number;
  if (session === undefined || resumption !== "accept" || !session.jid.startsWith(`${account}/`)) {
    const told = resumption === "refuse-with-count" ? session?.handled : undefined;
    await connection.say("resume", features.resumptionFailed(told));
    if (told !== undefined) session?.acknowledge(told);
    return undefined;
  }
  connection.jid = session.jid;
  await connection.say(
    "resume",
    `<resumed xmlns='${managementNamespace}' previd='${session.id}' h='${session.handled}'/>`,
  );
  session.acknowledge(session.handled);
  for (const stanza of session.settle(Number(request.attributes["h"]))) connection.send(stanza);
  return session;
}
