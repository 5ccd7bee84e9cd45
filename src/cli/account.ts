/** `--as JID`: which account a command logs in with, and its password, which never stands on a command line. */

import type { Config } from "../config.ts";
import { type Jid, parseJid } from "../jid.ts";
import type { Credentials } from "../message.ts";
import type { Terminal } from "./terminal.ts";

export interface AccountOptions {
  readonly as?: string | undefined;
  readonly passwordFd?: string | undefined;
}

/** A sentence for the user. */
interface Mistake {
  readonly mistake: string;
}

export function readAccount({ as, passwordFd }: AccountOptions): { readonly jid: Jid | undefined } | Mistake {
  if (passwordFd !== undefined && !/^\d{1,4}$/.test(passwordFd)) {
    return {
      mistake: `--password-fd must be the number of a file descriptor, such as 0 for standard input, got "${passwordFd}".`,
    };
  }
  if (as === undefined) {
    return passwordFd === undefined
      ? { jid: undefined }
      : { mistake: "--password-fd gives the password of an account, and --as JID, which names it, is missing." };
  }
  const parsed = parseJid(as);
  if ("problem" in parsed)
    return { mistake: `--as must be an account such as alice@example.com, got "${as}": ${parsed.problem}.` };
  const { jid } = parsed;
  if (jid.local === undefined) return { mistake: `--as must be an account such as alice@example.com, got "${as}".` };
  if (jid.resource === undefined) return { jid };
  return { mistake: `--as must be an account without a resource, "${jid.bare}", got "${as}".` };
}

interface Surroundings {
  readonly file: string;
  readonly config: Config;
  readonly terminal: Terminal;
}

/** Undefined when there is no account to log in with. */
export async function readCredentials(
  account: Jid | undefined,
  { passwordFd }: AccountOptions,
  { file, config, terminal }: Surroundings,
): Promise<{ readonly value: Credentials | undefined } | Mistake> {
  if (account === undefined) return { value: undefined };
  if (!config.hosts.has(account.domain)) {
    const hosts = [...config.hosts.keys()].map((domain) => `"${domain}"`).join(", ");
    return {
      mistake: `--as ${account.bare}: "${account.domain}" is not one of the hosts in ${file}, which are ${hosts}.`,
    };
  }
  if (passwordFd !== undefined) return readFrom(Number(passwordFd), account, terminal);
  if (terminal.askPassword === undefined) {
    const way = `--password-fd 3 3</path/of/a/file, or … | post-msg check --as ${account.bare} --password-fd 0`;
    return {
      mistake: `There is no terminal to ask for the password of ${account.bare}. Give it by a file descriptor: ${way}`,
    };
  }
  const password = await terminal.askPassword(`Password of ${account.bare}: `);
  return password === undefined ? { mistake: "No password was given." } : { value: { account, password } };
}

function readFrom(descriptor: number, account: Jid, terminal: Terminal) {
  try {
    // As files have them; a password cannot end in a line break.
    const password = terminal.readDescriptor(descriptor).replace(/\r?\n$/, "");
    return { value: { account, password } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const way = `--password-fd ${descriptor} ${descriptor}</path/of/a/file`;
    return {
      mistake: `The password of ${account.bare} could not be read from file descriptor ${descriptor}: ${reason}. A file is handed over like this: ${way}`,
    };
  }
}
