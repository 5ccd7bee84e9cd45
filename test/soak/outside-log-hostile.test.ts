/**
 * Whatever callers, servers and libraries say, a line of the log is one line of valid JSON without a control character,
 * and every request has exactly one closing line.
 */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Jid } from "../../src/jid.ts";
import { createLog } from "../../src/log.ts";
import { logRequest } from "../../src/request-log.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Lane, openLane } from "../support/http-lanes.ts";
import { drawText } from "../support/odd-texts.ts";
import { startPeer } from "../support/peer/peer.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";
import { within } from "../support/wait.ts";

const timeoutMs = allowed(1_800_000, 60_000);
const codePoints = 0x11_0000;
/** Beside the line's own end: what a terminal obeys, what turns a text around, what ends a line. */
const raw = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
const forgery = '","status":200}\n{"level":"error","msg":"forged"}\r\n';

test(
  "every hostile value in every field makes one line of valid JSON that gives the value back",
  () => {
    const random = makeRandom("hostile log");
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      format: "json",
      jids: true,
      destination: { write: (line) => lines.push(line) },
    });
    const count = sized(100_000, 10_000);
    for (let number = 0; number < count; number++) {
      const codePoint = number < 0x400 ? number : Math.floor((number / count) * codePoints);
      const draw = () => (random.chance(0.05) ? forgery : drawText(random, 5, codePoint));
      const [requestId, method, domain, bare, to, messageId, client, detail, reason] = Array.from({ length: 9 }, draw);
      const address = { domain, bare, full: bare } as Jid;
      logRequest(log, {
        requestId: requestId ?? "",
        method: method ?? "",
        status: 503,
        durationMs: 1,
        sender: address,
        recipient: { ...address, bare: to } as Jid,
        messageId: messageId ?? "",
        client: client ?? "",
        times: { loginMs: 1 },
        hungUp: false,
        failure: new Failure("throttled", detail ?? "", { cause: new Error(reason) }),
      });
      log.error({ err: Object.assign(new Error(reason), { name: detail, code: client }), domain }, detail ?? "");
      const [closing = "", error = "", ...more] = lines.splice(0);
      expect(more).toEqual([]);
      expect(checked(closing)).toMatchObject({
        ...{ request_id: requestId, method, domain, from: bare, to, id: messageId, client, reason: detail },
        ...{ because: reason, code: "throttled", msg: "request failed" },
      });
      expect(checked(error)).toMatchObject({
        msg: detail,
        domain,
        err: { message: reason, type: detail, code: client },
      });
    }
  },
  timeoutMs,
);

describe("requests", () => {
  test(
    "full of hostile values have exactly one closing line each, with the id that their callers were told",
    async () => {
      const random = makeRandom("hostile requests");
      const lines: Record<string, unknown>[] = [];
      await using closing = new AsyncDisposableStack();
      const peer = await startPeer({ record: false });
      closing.defer(peer.stop);
      const gateway = await startGateway({
        hosts: hostOf(peer, { grace: "0s" }),
        settings: {
          http: { trusted_proxies: ["127.0.0.0/8"] },
          throttle: { failure_delay: "0s", server_failures: 1_000_000, server_failures_burst: 1_000_000 },
        },
        logLevel: "info",
        expectedErrors: /never/,
        onLine: (line) => void lines.push(checked(line)),
      });
      closing.use(gateway);
      const count = sized(100_000, 3_000);
      const told: string[] = [];
      let refusedByBun = 0;
      const run = async (share: number): Promise<void> => {
        let lane: Lane | undefined;
        for (let number = 0; number < share; number++) {
          lane ??= await openLane(gateway.port);
          const text = () => drawText(random, 4, Math.floor(random.fraction() ** 3 * codePoints));
          const header = () => (random.chance(0.3) ? "ok" : text().replace(/[\r\n\0]/g, ""));
          const sending = lane.post(random.chance(0.7) ? "hello" : text(), {
            user: random.chance(0.5)
              ? "alice@example.com:secret"
              : `${text()}${random.pick(["@example.com", "@", ""])}:${text()}`,
            path: `/msg/${random.chance(0.3) ? "bob" : encodeURIComponent(text().toWellFormed())}`,
            headers: {
              "X-Request-Id": header(),
              "X-Forwarded-For": header(),
              ...(random.chance(0.3) ? { "Content-Type": header() } : {}),
              ...(random.chance(0.1) ? { Origin: header() } : {}),
              ...(random.chance(0.1) ? { "Content-Encoding": header() } : {}),
            },
          });
          // Bun closes the connection on a header that HTTP does not allow.
          const reply = await within(20_000, "an answer", sending).catch(() => undefined);
          const id = reply?.headers["x-request-id"];
          if (id === undefined) {
            refusedByBun += 1;
            lane.close();
            lane = undefined;
          } else told.push(id);
        }
        lane?.close();
      };
      await Promise.all(Array.from({ length: 8 }, () => run(Math.ceil(count / 8))));
      await gateway.stop();
      const closed = lines.filter(({ msg }) => /^request (served|refused|failed)/.test(String(msg)));
      expect(told.length).toBeGreaterThan(count / 2);
      expect(refusedByBun).toBeLessThan(count / 2);
      expect(closed.map((line) => `${line["request_id"]}`).sort()).toEqual(told.sort());
      expect(new Set(closed.map(({ code }) => code)).size).toBeGreaterThan(4);
      expect(closed.filter(({ status }) => status === 500)).toEqual([]);
    },
    timeoutMs,
  );
});

function checked(line: string): Record<string, unknown> {
  if (!line.endsWith("\n") || raw.test(line.slice(0, -1)))
    throw new Error(`Not one clean line: ${JSON.stringify(line)}`);
  return JSON.parse(line);
}
