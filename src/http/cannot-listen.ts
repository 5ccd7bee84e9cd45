/** Why an address cannot be listened on, in a sentence. */

/** Which setting of the configuration an address is from. */
export type ListenSetting = "[http] listen" | "[metrics] listen";

interface Attempt {
  readonly address: string;
  readonly setting: ListenSetting;
}

export function cannotListen({ address, setting }: Attempt, reason: string, cause?: unknown): Error {
  const sentence = `Could not listen on "${address}", as ${setting} says: ${reason}.`;
  return new Error(sentence, cause === undefined ? undefined : { cause });
}

/** As `explain`, and how the process is found that has the port. */
export function explainPort(code: string | undefined, port: number, platform = process.platform): string {
  const reason = explain(code);
  if (code !== "EADDRINUSE") return reason;
  const command = platform === "linux" ? `ss -ltnp 'sport = :${port}'` : `lsof -nP -iTCP:${port} -sTCP:LISTEN`;
  return `${reason}, and "${command}", run as root, names it`;
}

export function explain(code: string | undefined): string {
  switch (code) {
    case "EADDRINUSE":
    case "EEXIST":
      return "another process has that address";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "that name has no address";
    case "EACCES":
    case "EPERM":
      return "this user may not; ports below 1024 and foreign folders need a permission";
    case "ENOENT":
    case "ENOTDIR":
      return "its folder does not exist";
    default:
      return `the system refused (${code ?? "no reason given"})`;
  }
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
