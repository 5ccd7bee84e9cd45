/**
 * The metrics, in Prometheus's text format. Each help text says what the figure is and, where there is something to do,
 * what to do when it is high. No label has a value that a caller can choose: status, code, condition, mechanism, state.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Code } from "../errors.ts";
import type { Census, Tally } from "../tally.ts";
import { measureEventLoop } from "./event-loop.ts";
import { addProcessMetrics } from "./process.ts";

export interface MetricsOptions {
  readonly version: string;
  /** Every code and its status, so that each counter is there from the start, at 0: a rate needs a first value. */
  readonly statuses: Readonly<Record<Code, number>>;
}

export interface Metrics {
  readonly tally: Tally;
  readonly contentType: string;
  /** From here on how things stand is asked at every `read`. */
  observe(census: () => Census): void;
  /** As Prometheus wants to read it. */
  read(): Promise<string>;
  stop(): void;
}

/** Around what servers do: Prosody 1 to 5 ms, ejabberd 11 to 15 ms, remote servers and full queues up to the deadline. */
const ackBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics({ version, statuses }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let census: (() => Census) | undefined;

  new Gauge({
    name: "post_msg_build_info",
    help: "Always 1; the labels say which version of post-msg runs, on which version of Bun.",
    labelNames: ["version", "bun"],
    registers,
  }).set({ version, bun: Bun.version }, 1);
  const requests = new Counter({
    name: "post_msg_requests_total",
    help: 'Answered HTTP requests; code is "ok" or the problem\'s code. Many 5xx: the code says what is wrong, and the log why. Many 401: somebody guesses, or a password was changed. 504 with ack_timeout or connection_lost: the message may or may not have been sent; look at the XMPP server.',
    labelNames: ["status", "code"],
    registers,
  });
  const ack = new Histogram({
    name: "post_msg_ack_seconds",
    help: "From writing a message to the XMPP server's word that it took it. High: the server is slow or limits the rate of a connection (Prosody: limits, ejabberd: shaper); spread the load over several accounts, or raise its limits.",
    buckets: ackBuckets,
    registers,
  });
  const logins = new Counter({
    name: "post_msg_logins_total",
    help: 'Logins at XMPP servers by kind (login; proof of a password beside a live session; reconnect), result ("ok" or a code) and SASL mechanism ("none": it did not come so far). Many that are not ok: look at the result, then at "login failed" in the log. Many that are ok: sessions are too short-lived; raise [sessions] idle or max.',
    labelNames: ["kind", "result", "mechanism"],
    registers,
  });
  const lost = new Counter({
    name: "post_msg_connections_lost_total",
    help: "Connections that ended while somebody waited for an answer, by code. High: the network or the XMPP server is unstable; see its log.",
    labelNames: ["code"],
    registers,
  });
  const recovered = new Counter({
    name: "post_msg_resumes_total",
    help: 'Lost connections that came back. Many with result "new_session": the server forgets sessions, and what was on its way is answered 504; let it keep them longer (Prosody: smacks_hibernation_time, ejabberd: resume_timeout).',
    labelNames: ["result"],
    registers,
  });
  const bounces = new Counter({
    name: "post_msg_bounces_total",
    help: "Messages that the XMPP side refused, which their senders were told, by condition. High: senders write to recipients that do not exist or do not want them; the request lines in the log say which.",
    labelNames: ["condition"],
    registers,
  });
  const lateBounces = new Counter({
    name: "post_msg_late_bounces_total",
    help: 'Refusals that came after the message had been answered 201, by condition. High: raise "grace" of the host, or let senders use Prefer: wait; "late refusal" in the log has the message\'s id.',
    labelNames: ["condition"],
    registers,
  });
  const throttled = new Counter({
    name: "post_msg_throttled_total",
    help: 'Logins that were not tried: "throttled" (too many failures from an address or for an account), "logins_paused" (at a server), "remembered" (this wrong password has failed a moment ago). High: somebody guesses, or has an old password; the log has the client\'s address. logins_paused: new users cannot log in; let the server\'s ban module leave this machine alone, then raise [throttle] server_failures and server_failures_burst.',
    labelNames: ["reason"],
    registers,
  });
  addGauges(registers, () => census?.());
  const eventLoop = measureEventLoop(registers);
  addProcessMetrics(registers);

  // Found once: what a message counts is to cost as little as can be.
  const accepted = requests.labels({ status: 201, code: "ok" });
  accepted.inc(0);
  for (const [code, status] of Object.entries(statuses)) requests.inc({ status, code }, 0);
  for (const reason of ["throttled", "logins_paused", "remembered"]) throttled.inc({ reason }, 0);
  for (const result of ["resumed", "new_session"]) recovered.inc({ result }, 0);

  return {
    tally: {
      answered: (status, code) => {
        if (status === 201 && code === undefined) accepted.inc();
        else requests.inc({ status, code: code ?? "ok" });
      },
      acknowledged: (afterMs) => ack.observe(afterMs / 1000),
      bounced: (condition) => bounces.inc({ condition }),
      bouncedLate: (condition) => lateBounces.inc({ condition }),
      loggedIn: ({ kind, failure, mechanism }) =>
        logins.inc({ kind, result: failure?.code ?? "ok", mechanism: mechanism ?? "none" }),
      lost: (code) => lost.inc({ code }),
      recovered: (resumed) => recovered.inc({ result: resumed ? "resumed" : "new_session" }),
      throttled: (reason) => throttled.inc({ reason }),
    },
    contentType: registry.contentType,
    observe(ask) {
      census = ask;
    },
    read: () => registry.metrics(),
    stop: () => eventLoop.stop(),
  };
}

/** Asked for when they are read. */
function addGauges(registers: Registry[], census: () => Census | undefined): void {
  new Gauge({
    name: "post_msg_sessions",
    help: 'Accounts with a session, by state: connecting, idle, busy (with messages on their way), reconnecting. Near [sessions] max: raise it. Many "reconnecting": an XMPP server is away.',
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(census()?.sessions ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "post_msg_requests_in_flight",
    help: "Requests that are being served. Near [http] max_in_flight: the XMPP servers, or logins at them, are slow; beyond it requests get 503.",
    registers,
    collect() {
      this.set(census()?.requests ?? 0);
    },
  });
  new Gauge({
    name: "post_msg_pending_messages",
    help: "Messages that have no answer yet. Growing: an XMPP server acknowledges more slowly than requests come; see post_msg_ack_seconds. At [delivery] max_pending for one account, requests get 503.",
    registers,
    collect() {
      this.set(census()?.messages ?? 0);
    },
  });
  new Gauge({
    name: "post_msg_pending_bytes",
    help: "Bytes of messages that the XMPP servers have not acknowledged. Growing: as for post_msg_pending_messages.",
    registers,
    collect() {
      this.set(census()?.bytes ?? 0);
    },
  });
}
