/** Starts the scripted peer in a process of its own. */

import { join } from "node:path";
import { startChild } from "./child-process.ts";
import type { ConfigTables } from "./gateway-config.ts";
import type { PeerBehaviour } from "./peer/options.ts";
import { makeTempFolder } from "./temp-folder.ts";

export interface PeerProcess {
  /** For the gateway's configuration. */
  readonly hosts: ConfigTables["hosts"];
  stop(): Promise<void>;
}

/** What can be asked of it from outside of its process. */
export type PeerProcessOptions = Partial<Pick<PeerBehaviour, "mechanisms" | "iterations">>;

export async function startPeerProcess(accounts: number, options: PeerProcessOptions = {}): Promise<PeerProcess> {
  const folder = await makeTempFolder("post-msg-peer-");
  const program = join(import.meta.dir, "peer-program.ts");
  const child = startChild([process.execPath, program, String(accounts), JSON.stringify(options)]);
  const stop = async () => {
    await child.kill();
    await folder.remove();
  };
  try {
    await child.says(/\}\n/, 20_000);
    const { port, certificatePem }: { port: number; certificatePem: string } = JSON.parse(child.output());
    const caFile = await folder.write("ca.pem", certificatePem);
    return { hosts: { "example.com": { connect: `xmpp://127.0.0.1:${port}`, more: { ca_file: caFile } } }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
