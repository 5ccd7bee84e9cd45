/** Why an address cannot be listened on, in a sentence. */

export function cannotListen(address: string, reason: string, cause?: unknown): Error {
  return new Error(`Could not listen on "${address}": ${reason}.`, cause === undefined ? undefined : { cause });
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
