/** HAProxy, nginx and Caddy from Debian in front of a gateway: on a free port, with their own configuration, as our children. */

import { join } from "node:path";
import { startChild } from "./child-process.ts";
import { findFreePort } from "./free-port.ts";
import { makeTempFolder, type TempFolder } from "./temp-folder.ts";
import { eventually } from "./wait.ts";

export type FrontProxyKind = "HAProxy" | "nginx" | "Caddy";

export interface FrontProxy {
  readonly port: number;
  /** The address from which it connects to the gateway. */
  readonly address: string;
  stop(): Promise<void>;
}

const deadlineMs = 10_000;

/** It listens on 127.0.0.1; its clients may come from any loopback address. */
export async function startFrontProxy(kind: FrontProxyKind, gatewayPort: number): Promise<FrontProxy> {
  const folder = await makeTempFolder("post-msg-proxy-");
  const port = await findFreePort();
  const command = await commandOf[kind](folder, port, gatewayPort);
  // Caddy keeps what it learns at home.
  const home = { HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path };
  const child = startChild(command, { cwd: folder.path, env: { ...process.env, ...home } });
  const stop = async () => {
    await child.terminate();
    await folder.remove();
  };
  try {
    await eventually(() => answers(port), deadlineMs, `${kind} to listen; so far it said: ${child.output()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, address: "127.0.0.1", stop };
}

type MakeCommand = (folder: TempFolder, port: number, gatewayPort: number) => Promise<readonly string[]>;

const commandOf: Readonly<Record<FrontProxyKind, MakeCommand>> = {
  HAProxy: async (folder, port, gatewayPort) => {
    return ["/usr/sbin/haproxy", "-db", "-f", await folder.write("haproxy.cfg", haproxyConfig(port, gatewayPort))];
  },
  nginx: async (folder, port, gatewayPort) => {
    const file = await folder.write("nginx.conf", nginxConfig(folder.path, port, gatewayPort));
    return ["/usr/sbin/nginx", "-e", join(folder.path, "error.log"), "-p", folder.path, "-c", file];
  },
  Caddy: async (folder, port, gatewayPort) => {
    const file = await folder.write("Caddyfile", caddyConfig(port, gatewayPort));
    return ["/usr/bin/caddy", "run", "--config", file, "--adapter", "caddyfile"];
  },
};

function haproxyConfig(port: number, gatewayPort: number): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${port}
  option forwardfor
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${gatewayPort}
`;
}

/** As its users write it; the rest keeps it within the folder and in the foreground. */
function nginxConfig(folder: string, port: number, gatewayPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join("\n");
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { }
http {
  access_log off;
${temporary}
  upstream gateway {
    server 127.0.0.1:${gatewayPort};
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}

function caddyConfig(port: number, gatewayPort: number): string {
  return `
{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${gatewayPort}
}
`;
}

function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/nothing-here`).then(
    ({ status }) => status === 404,
    () => false,
  );
}
