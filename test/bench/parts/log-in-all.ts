/** Sends one message from each account of the scripted peer, so that all have a session. */

const atATime = 32;

export async function logInAll(url: string, count: number): Promise<void> {
  let next = 0;
  const run = async () => {
    while (next < count) await postFrom(url, `user${next++}@example.com`);
  };
  await Promise.all(Array.from({ length: atATime }, run));
}

/** Resolves to the milliseconds until its answer. */
export async function postFrom(url: string, account: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/bob@example.com`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${account}:secret`)}`, "Content-Type": "text/plain" },
    body: "Server@host has just crashed!",
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`A message of ${account} was answered ${response.status}: ${text}`);
  return performance.now() - startedMs;
}
