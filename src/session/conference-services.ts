/**
 * Which domains are conference services, as the accounts of one host were told (XEP-0030). Only for an address that may be
 * a room's is anybody asked; the message waits for the answer for a second, and is a chat message if none comes.
 */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Link } from "../link.ts";
import type { Destination } from "../message.ts";

const patienceMs = 1_000;
/** An answer that comes later than that counts for the next message. */
const answerTimeoutMs = 10_000;
const rememberMs = 3_600_000;
const rememberSilenceMs = 60_000;
const maxDomains = 10_000;

interface Known {
  readonly isService: boolean;
  readonly untilMs: number;
}

export class ConferenceServices {
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<boolean>>();
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Where a message to `to` goes, as far as that is not said: at once, where it is known or does not matter. */
  destinationOf(to: Jid, sender: Jid, link: () => Promise<Link>): Destination | Promise<Destination> {
    if (to.local === undefined || to.domain === sender.domain) return "elsewhere";
    const inside = to.resource === undefined ? "room" : "occupant";
    const known = this.#known.get(to.domain);
    if (known !== undefined && known.untilMs >= this.#now()) return known.isService ? inside : "elsewhere";
    return this.#find(to.domain, sender, link).then((isService) => (isService ? inside : "elsewhere"));
  }

  /** Resolves within a second. Everybody asks for themselves: nobody's slow connection is an answer for others. */
  async #find(domain: string, sender: Jid, link: () => Promise<Link>): Promise<boolean> {
    const key = `${sender.bare}\n${domain}`;
    const asked = this.#asked.get(key) ?? this.#ask(domain, link).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, patienceMs, false);
    try {
      return await Promise.race([asked, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(domain: string, link: () => Promise<Link>): Promise<boolean> {
    try {
      const { rooms } = await link();
      return this.#remember(domain, await rooms.isService(domain, answerTimeoutMs), rememberMs);
    } catch (error) {
      // That our own connection was lost says nothing about the domain.
      const lost = !(error instanceof Failure) || (error.temporary && error.code !== "remote_server_timeout");
      return lost ? false : this.#remember(domain, false, rememberSilenceMs);
    }
  }

  /** Bounded; the oldest goes first. */
  #remember(domain: string, isService: boolean, forMs: number): boolean {
    this.#known.delete(domain);
    this.#known.set(domain, { isService, untilMs: this.#now() + forMs });
    const [oldest] = this.#known.size > maxDomains ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    return isService;
  }
}

/** By host: what one host's server tells its accounts must not lead another's astray. */
export function rememberServices(): (host: string) => ConferenceServices {
  const services = new Map<string, ConferenceServices>();
  return (host) => {
    const known = services.get(host) ?? new ConferenceServices();
    services.set(host, known);
    return known;
  };
}
