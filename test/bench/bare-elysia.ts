/**
 * What any Elysia program costs: reads the same body and sends the same reply as post-msg, and does nothing in between.
 * A program of its own; it says where it listens.
 */

import { Elysia } from "elysia";

const app = new Elysia().post("/msg/*", async ({ request, set }) => {
  await request.text();
  set.status = 201;
  return { id: crypto.randomUUID(), from: "user0@example.com", to: "bob@example.com", type: "chat" };
});
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, reusePort: false, fetch: app.fetch });
process.on("SIGTERM", () => process.exit(0));
process.stdout.write(`bare Elysia listens on http://127.0.0.1:${server.port}/msg\n`);
