/** Debian's Chromium without a window, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol). */

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { makeTempFolder } from "./temp-folder.ts";
import { makeBell, within } from "./wait.ts";

export interface Page {
  /** Resolves when the page has loaded. */
  open(url: string): Promise<void>;
  /** The value of an expression in the page; of a promise, what it resolves to. */
  run(expression: string): Promise<unknown>;
  /** While `work` runs, whoever asks for a login is given this one, which the browser then remembers. */
  withLogin<T>(username: string, password: string, work: () => Promise<T>): Promise<T>;
  /** What its console has complained of so far: errors, warnings, exceptions, files that were not to be had. */
  readonly complaints: readonly string[];
  /** The URLs that it has asked for so far. */
  readonly requests: readonly string[];
  /** A picture (PNG) of what it shows. */
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Chromium {
  openPage(): Promise<Page>;
  stop(): Promise<void>;
}

/** Long, since a machine that runs many tests at once has little time for a browser. */
const deadlineMs = 60_000;

/** `hosts`: names that lead to 127.0.0.1; no other name leads anywhere. */
export async function startChromium(hosts: readonly string[]): Promise<Chromium> {
  const folder = await makeTempFolder("post-msg-chromium-");
  const names = [...hosts.map((host) => `MAP ${host} 127.0.0.1`), "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"];
  const child = spawn(
    "/usr/bin/chromium",
    [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
      "--window-size=1280,1600",
      ...["--disable-background-networking", "--disable-component-update", "--disable-extensions"],
      // Over two pipes and not a WebSocket, of which Bun 1.4.5 mixes up the messages.
      ...["--remote-debugging-pipe", `--user-data-dir=${folder.path}/profile`],
      `--host-resolver-rules=${names.join(", ")}`,
      "about:blank",
    ],
    {
      cwd: folder.path,
      env: { ...process.env, HOME: folder.path },
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    },
  );
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const devTools = connect(child);
  const stop = async () => {
    await devTools.send("Browser.close").catch(kill);
    await within(deadlineMs, "Chromium to end", exited).catch(kill);
    process.off("exit", kill);
    await folder.remove();
  };
  try {
    await devTools.send("Browser.getVersion");
    return { openPage: () => openPage(devTools), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Values = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Values;
  readonly result?: Values;
  readonly error?: { readonly message: string };
}

interface DevTools {
  send(method: string, params?: Values, sessionId?: string): Promise<Values>;
  /** Returns what removes the listener. */
  on(sessionId: string, method: string, listener: (params: Values) => void): () => void;
}

/** Messages are JSON with a NUL behind it: to Chromium's descriptor 3, and from its descriptor 4. */
function connect(child: ChildProcess): DevTools {
  const [, , , toChromium, fromChromium] = child.stdio;
  const [sink, source] = [toChromium as Writable, fromChromium as Readable];
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<Values>>();
  const listeners = new Set<(message: Message) => void>();
  let unread = "";
  sink.on("error", () => {}); // It has ended; whoever waits for an answer has a deadline.
  source.setEncoding("utf8").on("data", (text: string) => {
    const texts = (unread + text).split("\0");
    unread = texts.pop() ?? "";
    for (const each of texts) hear(JSON.parse(each));
  });

  function hear(message: Message): void {
    for (const listener of listeners) listener(message);
    const answer = message.id === undefined ? undefined : waiting.get(message.id);
    if (message.error === undefined) answer?.resolve(message.result ?? {});
    else answer?.reject(new Error(message.error.message));
  }

  return {
    send(method, params = {}, sessionId) {
      const id = ++last;
      const answer = Promise.withResolvers<Values>();
      waiting.set(id, answer);
      sink.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      return within(deadlineMs, `Chromium's answer to ${method}`, answer.promise).finally(() => {
        waiting.delete(id);
      });
    },
    on(sessionId, method, listener) {
      const pick = (message: Message) => {
        if (message.sessionId === sessionId && message.method === method) listener(message.params ?? {});
      };
      listeners.add(pick);
      return () => listeners.delete(pick);
    },
  };
}

async function openPage(devTools: DevTools): Promise<Page> {
  const { targetId } = await devTools.send("Target.createTarget", { url: "about:blank" });
  const { sessionId: given } = await devTools.send("Target.attachToTarget", { targetId, flatten: true });
  const sessionId = String(given);
  const send = (method: string, params?: Values) => devTools.send(method, params, sessionId);
  await send("Page.enable");
  await send("Page.setLifecycleEventsEnabled", { enabled: true });
  const complaints: string[] = [];
  const requests: string[] = [];
  const complainIf = (bad: boolean, params: Values) => void (bad && complaints.push(JSON.stringify(params)));
  devTools.on(sessionId, "Runtime.exceptionThrown", (params) => complainIf(true, params));
  devTools.on(sessionId, "Runtime.consoleAPICalled", (params) => {
    complainIf(["error", "warning", "assert"].includes(String(params["type"])), params);
  });
  devTools.on(sessionId, "Log.entryAdded", (params) => {
    const { level } = params["entry"] as { readonly level: string };
    complainIf(level === "error" || level === "warning", params);
  });
  devTools.on(sessionId, "Network.requestWillBeSent", (params) => {
    requests.push((params["request"] as { readonly url: string }).url);
  });
  for (const domain of ["Runtime", "Log", "Network"]) await send(`${domain}.enable`);
  return {
    complaints,
    requests,
    async screenshot() {
      const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: false });
      return Buffer.from(String(data), "base64");
    },
    async open(url) {
      const bell = makeBell();
      const loaded = new Set<unknown>();
      const forget = devTools.on(sessionId, "Page.lifecycleEvent", ({ name, loaderId }) => {
        if (name === "load") loaded.add(loaderId);
        bell.ring();
      });
      try {
        // The page before may still be loading what nobody waits for.
        const { loaderId } = await send("Page.navigate", { url });
        await bell.until(() => loaded.has(loaderId), deadlineMs, `${url} to load`);
      } finally {
        forget();
      }
    },
    async run(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", params);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { readonly value?: unknown }).value;
    },
    async withLogin(username, password, work) {
      const authChallengeResponse = { response: "ProvideCredentials", username, password };
      const answer = (method: string, more: Values) => (params: Values) => {
        // A request whose page has gone meanwhile needs no answer.
        send(method, { requestId: params["requestId"], ...more }).catch(() => {});
      };
      const forget = [
        devTools.on(sessionId, "Fetch.requestPaused", answer("Fetch.continueRequest", {})),
        devTools.on(sessionId, "Fetch.authRequired", answer("Fetch.continueWithAuth", { authChallengeResponse })),
      ];
      await send("Fetch.enable", { handleAuthRequests: true });
      try {
        return await work();
      } finally {
        await send("Fetch.disable");
        for (const each of forget) each();
      }
    },
    close: async () => void (await devTools.send("Target.closeTarget", { targetId })),
  };
}
