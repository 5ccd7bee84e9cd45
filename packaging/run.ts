/** Runs a program of the build to its end. */

export interface RunOptions {
  readonly cwd?: string;
  /** Beside the environment that there is. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Its standard output. Rejects, with what it said, unless it ends with 0. */
export async function run(command: readonly string[], { cwd, env }: RunOptions = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${output}${errors}`);
  return output;
}
