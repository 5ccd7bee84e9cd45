/**
 * One accepted TCP connection, byte by byte: in the clear first, in TLS from `startTls` on.
 *
 * TLS runs over a stream of our own and not on the socket itself, because in Bun a socket that was wrapped can no longer
 * be reset: `resetAndDestroy` then sends a FIN.
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type SecureVersion, TLSSocket, type TLSSocketOptions } from "node:tls";
import type { IssuedCertificate } from "../ca.ts";

export interface WireTls {
  readonly certificate: IssuedCertificate;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

export interface Wire {
  /** In order, and one byte a packet (in TLS: a record) while `slow` is true. */
  send(data: string | Uint8Array): void;
  slow: boolean;
  /** What comes from now on is kept for the handshake, beside being told as bytes in the clear. */
  holdForTls(): void;
  /** Resolves after the handshake; rejects when it fails. */
  startTls(tls: WireTls): Promise<void>;
  /** The server's side of TLS, once `startTls` was called. */
  readonly tls: TLSSocket | undefined;
  /** Takes no more bytes from the kernel, so that the client's writes get stuck. */
  stopReading(): void;
  /** A FIN, in TLS after a close_notify, behind all that was sent. */
  end(): void;
  /** A TCP RST. */
  reset(): void;
  readonly closed: Promise<void>;
}

/** `onBytes` gets what the client said, decrypted where it came encrypted. */
export function makeWire(socket: Socket, onBytes: (bytes: Uint8Array, encrypted: boolean) => void): Wire {
  let tls: TLSSocket | undefined;
  let slow = false;
  let unsent = Promise.resolve();
  let unsentCount = 0;
  const closed = Promise.withResolvers<void>();
  let held: Uint8Array[] | undefined;
  const takePlain = (bytes: Uint8Array): void => {
    held?.push(bytes);
    onBytes(bytes, false);
  };

  socket.setNoDelay(true);
  // A reset by the client is an end like any other here: "close" follows.
  socket.on("error", () => {});
  socket.once("close", () => {
    tls?.destroy();
    closed.resolve();
  });
  socket.on("data", takePlain);

  const write = (data: string | Uint8Array): void => {
    const target = tls ?? socket;
    if (target.writable) target.write(data);
  };
  const enqueue = (task: () => void | Promise<void>): void => {
    unsentCount++;
    unsent = unsent.then(task).finally(() => unsentCount--);
  };
  const writeSlowly = async (data: Uint8Array): Promise<void> => {
    for (const byte of data) {
      write(Uint8Array.of(byte));
      await nextTurn();
    }
  };

  return {
    get slow() {
      return slow;
    },
    set slow(value) {
      slow = value;
    },
    get tls() {
      return tls;
    },
    closed: closed.promise,
    send: (data) => {
      if (slow) enqueue(() => writeSlowly(Buffer.from(data)));
      else if (unsentCount > 0) enqueue(() => write(data));
      else write(data);
    },
    holdForTls: () => {
      held ??= [];
    },
    startTls: async (settings) => {
      await unsent;
      const carrier = carry(socket);
      for (const bytes of held ?? []) carrier.push(bytes);
      held = undefined;
      const secured = new TLSSocket(carrier, serverOptions(settings));
      tls = secured;
      secured.on("data", (bytes: Uint8Array) => onBytes(bytes, true));
      await handshake(secured, closed.promise);
      // Until here, what comes may still be a client that speaks on in the clear.
      socket.off("data", takePlain);
    },
    stopReading: () => void socket.pause(),
    end: () => enqueue(() => void (tls ?? socket).end()),
    reset: () => void socket.resetAndDestroy(),
  };
}

function serverOptions(settings: WireTls): TLSSocketOptions {
  return {
    isServer: true,
    cert: settings.certificate.certificatePem,
    key: settings.certificate.keyPem,
    ALPNProtocols: ["xmpp-client"],
    ...(settings.minVersion === undefined ? {} : { minVersion: settings.minVersion }),
    ...(settings.maxVersion === undefined ? {} : { maxVersion: settings.maxVersion }),
  };
}

async function handshake(secured: TLSSocket, closed: Promise<void>): Promise<void> {
  const done = Promise.withResolvers<void>();
  secured.once("secure", () => done.resolve());
  // Stays for the life of the socket: after the handshake an alert or a torn record ends the connection, no more.
  secured.on("error", (error) => done.reject(error));
  closed.then(() => done.reject(new Error("The client left during the TLS handshake.")));
  await done.promise;
}

/** The socket as a stream that TLS can run on. */
function carry(socket: Socket): Duplex {
  const carrier = new Duplex({
    read: () => {},
    write: (chunk, _encoding, callback) => {
      if (!socket.writable) return callback();
      socket.write(chunk, () => callback());
    },
    final: (callback) => {
      socket.end();
      callback();
    },
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
  });
  socket.on("data", (bytes) => carrier.push(bytes));
  socket.once("end", () => carrier.push(null));
  return carrier;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
