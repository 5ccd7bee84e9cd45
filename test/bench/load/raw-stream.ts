/**
 * An XMPP stream with as little around it as can be: STARTTLS, SASL PLAIN, a resource, by looking for a text in what
 * comes and without a parser. For well-behaved servers and accounts whose names need no escaping; what it costs is next
 * to nothing, which is what it is for.
 */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { splitBareJid } from "../../support/real-server.ts";
import { within } from "../../support/wait.ts";

const loginDeadlineMs = 10_000;
const closeDeadlineMs = 5_000;

export interface RawStreamOptions {
  readonly port: number;
  /** Of the authority that has signed the server's certificate. */
  readonly caPem: string;
  /** Bare. */
  readonly jid: string;
  readonly password: string;
}

export interface RawStream {
  send(xml: string): void;
  /** Sends, and resolves when this was found in what came since. */
  ask(xml: string, answer: RegExp): Promise<void>;
  /** From now on gets what comes, as it comes. */
  listen(onText: (text: string) => void): void;
  /** Ends the stream properly, so that the server keeps no session of it. */
  close(): Promise<void>;
}

export async function openRawStream({ port, caPem, jid, password }: RawStreamOptions): Promise<RawStream> {
  const [username, domain] = splitBareJid(jid);
  const tcp = connectTcp(port, "127.0.0.1");
  tcp.setNoDelay(true);
  let socket: Socket = tcp;
  let hear: (text: string) => void = () => {};
  const closed = new Promise<void>((resolve) => tcp.once("close", () => resolve()));
  tcp.on("error", () => {}); // "close" follows.
  const attach = () => socket.on("data", (bytes: Buffer) => hear(bytes.toString("latin1")));

  const send = (xml: string) => void socket.write(xml);
  const ask = (xml: string, answer: RegExp) => {
    let heard = "";
    const found = new Promise<void>((resolve, reject) => {
      hear = (text) => {
        heard += text;
        if (answer.test(heard)) resolve();
      };
      closed.then(() => reject(new Error(`${jid}: not ${answer} came but ${heard}`)));
    });
    send(xml);
    return within(loginDeadlineMs, `${answer} for ${jid}`, found);
  };
  const header =
    `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' ` +
    `xmlns:stream='http://etherx.jabber.org/streams'>`;

  attach();
  await ask(header, /<\/stream:features>/);
  await ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", /<proceed/);
  tcp.removeAllListeners("data");
  socket = connectTls({ socket: tcp, servername: domain, ca: [caPem], ALPNProtocols: ["xmpp-client"] });
  socket.on("error", () => void tcp.destroy());
  attach();
  await ask(header, /<\/stream:features>/);
  const initial = Buffer.from(`\0${username}\0${password}`).toString("base64");
  await ask(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${initial}</auth>`, /<success/);
  await ask(header, /<\/stream:features>/);
  const bind = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
  await ask(bind, /<\/iq>/);

  return {
    send,
    ask,
    listen: (onText) => {
      hear = onText;
    },
    close: async () => {
      send("</stream:stream>");
      const timer = setTimeout(() => tcp.destroy(), closeDeadlineMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
