/** The server's side of a SASL negotiation (RFC 6120 section 6): PLAIN, SCRAM, and SCRAM with channel binding. */

import { textOf, type XmlElement } from "../xml-element.ts";
import type { PeerConnection } from "./connection.ts";
import { saslNamespace } from "./namespaces.ts";
import { saslFailure } from "./replies.ts";
import { SaslRefusal } from "./sasl-refusal.ts";
import { beginScram } from "./scram-server.ts";

const hashes: Readonly<Record<string, string>> = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" };

/** Talks until the client has proven itself; returns its bare JID. The restart of the stream is the caller's. */
export async function authenticate(connection: PeerConnection): Promise<string> {
  for (;;) {
    const stanza = await connection.next();
    if (stanza.name !== "auth" || stanza.namespace !== saslNamespace) {
      await connection.fail("not-authorized");
    }
    try {
      await connection.reach("auth");
      return await negotiate(stanza, connection);
    } catch (error) {
      if (!(error instanceof SaslRefusal)) throw error;
    }
  }
}

async function negotiate(auth: XmlElement, connection: PeerConnection): Promise<string> {
  const mechanism = auth.attributes["mechanism"] ?? "";
  if (!connection.behaviour.mechanisms.includes(mechanism)) return refuse(connection, "invalid-mechanism");
  const first = textOf(auth) === "" ? await challenge(connection, "") : decode(textOf(auth));
  if (mechanism === "PLAIN") return takePlain(first, connection);
  return takeScram(mechanism, first, connection);
}

/** RFC 4616: authorization identity, NUL, username, NUL, password. */
async function takePlain(message: string, connection: PeerConnection): Promise<string> {
  const [, username = "", password, ...rest] = message.split("\0");
  const jid = `${username}@${connection.domain}`;
  const right = connection.behaviour.accounts[jid];
  if (right === undefined || right !== password || rest.length > 0) return refuse(connection, "not-authorized");
  await succeed(connection, "");
  return jid;
}

async function takeScram(mechanism: string, clientFirst: string, connection: PeerConnection): Promise<string> {
  const { accounts, iterations, mechanisms } = connection.behaviour;
  const plus = mechanism.endsWith("-PLUS");
  const hash = hashes[mechanism.replace(/^SCRAM-/, "").replace(/-PLUS$/, "")];
  if (hash === undefined) return refuse(connection, "invalid-mechanism");
  const scram = beginScram(clientFirst, {
    hash,
    iterations,
    plus,
    plusOffered: mechanisms.some((name) => name.endsWith("-PLUS")),
    channelBinding: (type) => (type === "tls-exporter" ? connection.exportKeyingMaterial() : undefined),
    passwordOf: (username) => accounts[`${username}@${connection.domain}`],
  });
  if (scram === undefined) return refuse(connection, "not-authorized");
  const serverFinal = await scram.finish(await challenge(connection, scram.serverFirst));
  if (serverFinal === undefined) return refuse(connection, "not-authorized");
  await succeed(connection, serverFinal);
  return `${scram.username}@${connection.domain}`;
}

/** Sends a challenge and returns the text of the response. */
async function challenge(connection: PeerConnection, text: string): Promise<string> {
  await connection.say("challenge", `<challenge xmlns='${saslNamespace}'>${encode(text)}</challenge>`);
  const response = await connection.next();
  if (response.namespace !== saslNamespace || response.name !== "response") {
    return refuse(connection, response.name === "abort" ? "aborted" : "malformed-request");
  }
  await connection.reach("response");
  return decode(textOf(response));
}

async function succeed(connection: PeerConnection, text: string): Promise<void> {
  connection.expectRestart();
  await connection.say("success", `<success xmlns='${saslNamespace}'>${encode(text)}</success>`);
}

function refuse(connection: PeerConnection, condition: string): never {
  connection.wire.send(saslFailure(condition));
  throw new SaslRefusal(condition);
}

function decode(base64: string): string {
  return base64 === "=" ? "" : Buffer.from(base64, "base64").toString("utf8");
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
