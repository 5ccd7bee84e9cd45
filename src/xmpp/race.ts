/**
 * Happy eyeballs (RFC 8305): the addresses of one endpoint are tried staggered, with the families in turn, and the first
 * to connect wins. A family that is broken on the way costs a quarter of a second, not a time limit.
 */

import { connect as connectSocket, type Socket } from "node:net";
import { AddressQueue } from "./address-queue.ts";
import { withTimeLimit } from "./deadline.ts";
import { parseIpLiteral } from "./ip-literal.ts";
import { dnsTimeoutMs, type Endpoint, type Lookup } from "./resolve.ts";

export interface RaceOptions {
  readonly lookup: Lookup;
  readonly signal: AbortSignal;
  /** For one address to accept the connection. */
  readonly addressTimeoutMs: number;
  /** Begins to connect; for tests. */
  readonly connect?: (address: string, port: number) => Socket;
}

export interface RaceResult {
  readonly winner?: { readonly socket: Socket; readonly address: string };
  /** What each address that failed said. */
  readonly misses: readonly unknown[];
  /** Why a query got no answer. */
  readonly lookupFailures: readonly unknown[];
}

/** RFC 8305 section 5, Connection Attempt Delay. */
const attemptDelayMs = 250;
/** RFC 8305 section 3, Resolution Delay: how long IPv4 waits for the answer about IPv6. */
const resolutionDelayMs = 50;

/** Rejects only with the signal's reason. No socket but the winner's is left. */
export function raceAddresses(endpoint: Endpoint, options: RaceOptions): Promise<RaceResult> {
  return new Promise((resolve, reject) => {
    options.signal.throwIfAborted();
    new Race(endpoint, options, resolve, reject).start();
  });
}

/** Every way out is synchronous, so that no connection can succeed between the decision and the clean-up. */
class Race {
  readonly #queue = new AddressQueue();
  readonly #abandonOpen = new Map<Socket, () => void>();
  readonly #over = new AbortController();
  readonly #misses: unknown[] = [];
  readonly #lookupFailures: unknown[] = [];
  #queriesOpen = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly endpoint: Endpoint,
    readonly options: RaceOptions,
    readonly resolve: (result: RaceResult) => void,
    readonly reject: (reason: unknown) => void,
  ) {}

  start(): void {
    const { endpoint, options } = this;
    options.signal.addEventListener("abort", this.#abort, { once: true });
    const literal = parseIpLiteral(endpoint.hostname);
    if (literal === undefined) {
      void this.#query("IPv6", (limit) => options.lookup.aaaa(endpoint.hostname, limit));
      void this.#query("IPv4", (limit) => options.lookup.a(endpoint.hostname, limit));
    } else {
      this.#queue.add([literal]);
      this.#advance();
    }
  }

  async #query(family: string, ask: (limit: AbortSignal) => Promise<readonly string[]>): Promise<void> {
    this.#queriesOpen++;
    const late = () =>
      new Error(`No answer about the ${family} addresses of ${this.endpoint.hostname} within ${dnsTimeoutMs} ms.`);
    try {
      this.#queue.add(await withTimeLimit(dnsTimeoutMs, this.#over.signal, late, ask));
    } catch (error) {
      this.#lookupFailures.push(error);
    }
    this.#queriesOpen--;
    if (this.#over.signal.aborted) return;
    const first = this.#abandonOpen.size === 0;
    if (first && family === "IPv4" && this.#queriesOpen > 0 && !this.#queue.isEmpty) this.#wait(resolutionDelayMs);
    else if (first || this.#pause === undefined) this.#advance();
  }

  #wait(timeMs: number): void {
    this.#pause = setTimeout(this.#advance, timeMs);
  }

  readonly #advance = (): void => {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const address = this.#queue.take();
    if (address !== undefined) {
      this.#wait(attemptDelayMs);
      this.#attempt(address);
    } else if (this.#queriesOpen === 0 && this.#abandonOpen.size === 0) {
      this.#finish();
      this.resolve({ misses: this.#misses, lookupFailures: this.#lookupFailures });
    }
  };

  #attempt(address: string): void {
    const { port } = this.endpoint;
    const { addressTimeoutMs, connect = connectTo } = this.options;
    const socket = connect(address, port);
    const late = () => miss(new Error(`connect to ${address} port ${port}: no answer within ${addressTimeoutMs} ms`));
    const timer = setTimeout(late, addressTimeoutMs);
    const release = () => {
      clearTimeout(timer);
      socket.off("connect", win);
      socket.off("error", miss);
      this.#abandonOpen.delete(socket);
    };
    const abandon = () => {
      release();
      socket.destroy();
    };
    const win = () => {
      release();
      this.#finish();
      this.resolve({
        winner: { socket, address },
        misses: this.#misses,
        lookupFailures: this.#lookupFailures,
      });
    };
    const miss = (error: unknown) => {
      abandon();
      this.#misses.push(error);
      this.#advance();
    };
    // Stays for the socket's life: a reset before the new owner listens, or after everybody let go, must not be fatal.
    socket.on("error", ignore);
    socket.once("connect", win);
    socket.once("error", miss);
    this.#abandonOpen.set(socket, abandon);
  }

  readonly #abort = (): void => {
    this.#finish();
    this.reject(this.options.signal.reason);
  };

  #finish(): void {
    clearTimeout(this.#pause);
    this.options.signal.removeEventListener("abort", this.#abort);
    this.#over.abort();
    for (const abandon of [...this.#abandonOpen.values()]) abandon();
  }
}

/** Not a closure of the race, which would live as long as the socket. */
function ignore(): void {}

function connectTo(address: string, port: number): Socket {
  // Small stanzas go out at once: with Nagle's algorithm a request for an ack waits for the ack of the segment before.
  return connectSocket({ host: address, port, noDelay: true });
}
