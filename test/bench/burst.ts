/**
 * One account's burst, from a process of its own, so that whoever is measured beside it shares no event loop with it:
 * `burst.ts PORT AT` opens 401 connections to the gateway and at AT (milliseconds since 1970) posts through each of them at
 * once as alice: one body of 64 KiB, and 400 small ones. Ends with 1 unless all are answered 201.
 */

import { openLane } from "../support/http-lanes.ts";

const [port = 0, atMs = 0] = process.argv.slice(2).map(Number);
const bodies = ["x".repeat(64 * 1024), ...Array.from({ length: 400 }, () => "Server@host has just crashed!")];

const lanes = await Promise.all(bodies.map(() => openLane(port)));
await Bun.sleep(Math.max(0, atMs - Date.now()));
const replies = await Promise.all(lanes.map((lane, index) => lane.post(bodies[index] ?? "")));
const refused = replies.filter(({ status }) => status !== 201);
if (refused.length > 0)
  process.stderr.write(`${refused.length} of ${replies.length} were refused: ${refused[0]?.status}\n`);
process.exit(refused.length > 0 ? 1 : 0);
