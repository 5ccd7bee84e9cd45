/**
 * A small XMPP server whose words are mutated on their way out, for runs of many thousands. It understands just what the
 * gateway says, by looking for it in the text; the scripted peer is for everything else.
 */

import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { IssuedCertificate } from "./ca.ts";
import { type Mutation, mutate, writePieces } from "./mutation.ts";
import { beginScram, type ScramServer } from "./peer/scram-server.ts";

export interface FuzzPlan {
  /** Which connection is touched, counted from 1; an earlier one is reset with messages in flight. */
  readonly connection: number;
  /** Which of its words on that connection, counted from 0: header, features, …; after the login, acknowledgements. */
  readonly word: number;
  readonly mutations: readonly Mutation[];
  /** Sizes of the pieces in which it goes out, over and over. */
  readonly pieces: readonly number[];
  readonly ending: "go on" | "close" | "reset" | "silence";
  readonly mechanism: "PLAIN" | "SCRAM-SHA-1";
  readonly streamManagement: boolean;
  /** The next word goes out before this one. */
  readonly early: boolean;
}

export interface FuzzedServer {
  readonly port: number;
  /** From now on; what was said and heard is forgotten. */
  begin(plan: FuzzPlan): void;
  /** Everything that was said since `begin`. */
  readonly said: string;
  /** Ids of the messages that came whole. */
  readonly handled: ReadonlySet<string>;
  /** Ends all connections, and each new one at once, until `begin`. */
  refuse(): void;
  stop(): Promise<void>;
}

export const fuzzAccount = { jid: "alice@example.com", password: "secret" } as const;

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " +
  "from='example.com' id='größe' version='1.0'>";
const [bind, sm, sasl] = ["urn:ietf:params:xml:ns:xmpp-bind", "urn:xmpp:sm:3", "urn:ietf:params:xml:ns:xmpp-sasl"];

/** With a certificate: direct TLS. */
export async function startFuzzedServer(certificate?: IssuedCertificate): Promise<FuzzedServer> {
  let plan: FuzzPlan | undefined;
  let connections = 0;
  let said: Buffer[] = [];
  let handled = new Set<string>();
  const sockets = new Set<Socket>();
  /** What each resumable session has handled. */
  const sessions = new Map<string, { count: number }>();

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    const current = plan;
    if (current === undefined) return void socket.destroy();
    talk(socket, ++connections, current);
  };

  const talk = (socket: Socket, number: number, current: FuzzPlan): void => {
    const mine = said;
    const seen = handled;
    let spoken = 0;
    let silent = false;
    let early: string | undefined;
    let outgoing = Promise.resolve();
    const write = (bytes: Uint8Array): void => {
      if (!socket.writable || bytes.length === 0) return;
      mine.push(Buffer.from(bytes));
      socket.write(bytes);
    };
    const say = (text: string): void => {
      if (silent) return;
      const word = spoken++;
      const touched = number === current.connection && word === current.word;
      if (touched && current.early) {
        early = text;
        return;
      }
      const whole = Buffer.from(early === undefined ? text : text + early);
      const target = touched || early !== undefined;
      early = undefined;
      if (!target) {
        outgoing = outgoing.then(() => write(whole));
        return;
      }
      const bytes = current.mutations.reduce<Uint8Array>(mutate, whole);
      silent = current.ending === "silence";
      outgoing = outgoing
        .then(() => writePieces(bytes, current.pieces, write))
        .then(() => {
          if (current.ending === "close") socket.end();
          if (current.ending === "reset") socket.destroy();
        });
    };

    let text = "";
    let authenticated = false;
    let scram: ScramServer | undefined;
    let session = { count: 0 };
    const greet = (): void => {
      say(header);
      const mechanisms = `<mechanisms xmlns='${sasl}'><mechanism>${current.mechanism}</mechanism></mechanisms>`;
      const after = `<bind xmlns='${bind}'/>${current.streamManagement ? `<sm xmlns='${sm}'/>` : ""}`;
      say(`<stream:features>${authenticated ? after : mechanisms}</stream:features>`);
    };
    const base64 = (value: string) => Buffer.from(value, "base64").toString();
    const encode = (value: string) => Buffer.from(value).toString("base64");
    const succeed = (proof: string): void => {
      authenticated = true;
      say(`<success xmlns='${sasl}'>${encode(proof)}</success>`);
    };
    const rules: readonly (readonly [RegExp, (match: RegExpExecArray) => void])[] = [
      [/^(?:<\?xml[^>]*>)?<stream:stream[^>]*>/, greet],
      [/^<auth[^>]*PLAIN[^>]*>[^<]*<\/auth>/, () => succeed("")],
      [
        /^<auth[^>]*>([^<]*)<\/auth>/,
        ([, first = ""]) => {
          scram = beginScram(base64(first), {
            hash: "sha1",
            iterations: 4096,
            plus: false,
            plusOffered: false,
            channelBinding: () => undefined,
            passwordOf: () => fuzzAccount.password,
          });
          say(`<challenge xmlns='${sasl}'>${encode(scram?.serverFirst ?? "")}</challenge>`);
        },
      ],
      [
        /^<response[^>]*>([^<]*)<\/response>/,
        ([, final = ""]) => {
          outgoing = outgoing.then(async () => succeed((await scram?.finish(base64(final)).catch(() => "")) ?? ""));
        },
      ],
      [
        /^<iq [^>]*id="bind".*?<\/iq>/s,
        () => say(`<iq type='result' id='bind'><bind xmlns='${bind}'><jid>${fuzzAccount.jid}/größe</jid></bind></iq>`),
      ],
      [
        /^<enable [^>]*\/>/,
        () => {
          const id = `s${sessions.size}`;
          sessions.set(id, session);
          say(`<enabled xmlns='${sm}' id='${id}' resume='true'/>`);
        },
      ],
      [
        /^<resume [^>]*previd="([^"]*)"[^>]*\/>/,
        ([, id = ""]) => {
          const known = sessions.get(id);
          session = known ?? session;
          say(known ? `<resumed xmlns='${sm}' previd='${id}' h='${known.count}'/>` : `<failed xmlns='${sm}'/>`);
        },
      ],
      [/^<r [^>]*\/>/, () => say(`<a xmlns='${sm}' h='${session.count}'/>`)],
      [/^<a [^>]*\/>/, () => {}],
      [
        /^<message [^>]*id="([^"]*)".*?<\/message>/s,
        ([, id = ""]) => {
          session.count += 1;
          seen.add(id);
          // So that there is something to take up again.
          if (number < current.connection && session.count >= 2) socket.destroy();
        },
      ],
      [
        /^<iq [^>]*id="([^"]*)"[^>]*?(?:\/>|>.*?<\/iq>)/s,
        ([whole = "", id = ""]) => {
          session.count += 1;
          if (/^<iq[^>]*type="get"/.test(whole)) say(`<iq type='result' id='${id}' from='example.com'/>`);
        },
      ],
      [/^<\/stream:stream>/, () => void socket.end("</stream:stream>")],
    ];
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      while (take()) {}
    });
    const take = (): boolean => {
      for (const [pattern, act] of rules) {
        const match = pattern.exec(text);
        if (match === null) continue;
        text = text.slice(match[0].length);
        act(match);
        return true;
      }
      return false;
    };
  };

  const server: Server =
    certificate === undefined
      ? createTcpServer(serve)
      : createTlsServer(
          { cert: certificate.certificatePem, key: certificate.keyPem, ALPNProtocols: ["xmpp-client"] },
          serve,
        );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const dropAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    begin: (next) => {
      dropAll();
      plan = next;
      connections = 0;
      said = [];
      handled = new Set();
      sessions.clear();
    },
    get said() {
      return Buffer.concat(said).toString("latin1");
    },
    get handled() {
      return handled;
    },
    refuse: () => {
      plan = undefined;
      dropAll();
    },
    stop: () => {
      dropAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
