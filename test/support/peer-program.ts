/**
 * The scripted peer as a process of its own, so that memory and CPU of the program under test can be told from the
 * peer's: `peer-program.ts COUNT [OPTIONS]`, with the accounts user0@example.com, user1@example.com … (secret) and the
 * behaviour that OPTIONS (JSON) asks for. Its first line says where it listens.
 */

import { startPeer } from "./peer/peer.ts";

const count = Number(process.argv[2]);
const accounts = Object.fromEntries(
  Array.from({ length: count }, (_, index) => [`user${index}@example.com`, "secret"]),
);
const peer = await startPeer({ accounts, record: false, ...JSON.parse(process.argv[3] ?? "{}") });
process.stdout.write(`${JSON.stringify({ port: peer.port, certificatePem: peer.authority.certificatePem })}\n`);
