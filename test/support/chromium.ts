/** Debian's Chromium without a window, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol). */

import { type ChildProcess, startChild } from "./child-process.ts";
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
}

export interface Chromium {
  openPage(): Promise<Page>;
  stop(): Promise<void>;
}

const startDeadlineMs = 45_000;
const answerDeadlineMs = 20_000;

/** `hosts`: names that lead to 127.0.0.1; no other name leads anywhere. */
export async function startChromium(hosts: readonly string[]): Promise<Chromium> {
  const folder = await makeTempFolder("post-msg-chromium-");
  const names = [...hosts.map((host) => `MAP ${host} 127.0.0.1`), "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"];
  const child = startChild(
    [
      "/usr/bin/chromium",
      ...[
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--window-size=1280,1600",
      ],
      ...["--disable-background-networking", "--disable-component-update", "--disable-extensions"],
      ...["--remote-debugging-port=0", `--user-data-dir=${folder.path}/profile`],
      `--host-resolver-rules=${names.join(", ")}`,
      "about:blank",
    ],
    { cwd: folder.path, env: { ...process.env, HOME: folder.path } },
  );
  let devTools: DevTools | undefined;
  const stop = async () => {
    devTools?.close();
    await child.terminate(10_000);
    await folder.remove();
  };
  try {
    const connected = await connect(child);
    devTools = connected;
    return { openPage: () => openPage(connected), stop };
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
  close(): void;
}

async function connect(child: ChildProcess): Promise<DevTools> {
  await child.says(/DevTools listening on ws:\S+\n/, startDeadlineMs);
  const [, url = ""] = /DevTools listening on (ws:\S+)\n/.exec(child.output()) ?? [];
  // With compression, Bun 1.4.5 hands out messages whose parts are mixed up.
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const opened = Promise.withResolvers<void>();
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", () => opened.reject(new Error("Chromium's DevTools could not be connected to.")));
  await within(answerDeadlineMs, "Chromium's DevTools", opened.promise);

  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<Values>>();
  const listeners = new Set<(message: Message) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message: Message = JSON.parse(String(data));
    for (const listener of listeners) listener(message);
    const answer = message.id === undefined ? undefined : waiting.get(message.id);
    if (answer === undefined) return;
    if (message.error === undefined) answer.resolve(message.result ?? {});
    else answer.reject(new Error(message.error.message));
  });
  return {
    send(method, params = {}, sessionId) {
      const id = ++last;
      const answer = Promise.withResolvers<Values>();
      waiting.set(id, answer);
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return within(answerDeadlineMs, `Chromium's answer to ${method}`, answer.promise).finally(() => {
        waiting.delete(id);
      });
    },
    on(sessionId, method, listener) {
      const hear = (message: Message) => {
        if (message.sessionId === sessionId && message.method === method) listener(message.params ?? {});
      };
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    close: () => socket.close(),
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
        await bell.until(() => loaded.has(loaderId), answerDeadlineMs, `${url} to load`);
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
  };
}
