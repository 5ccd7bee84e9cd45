/** Where to listen, for whom, under which path, and where to connect to. */

import { isIPv4, isIPv6 } from "node:net";
import type { Read } from "./values.ts";

/** The host name is an address literal (IPv6 without brackets) or a name. */
export type ListenAddress = { readonly hostname: string; readonly port: number } | { readonly unixPath: string };

export interface ConnectAddress {
  /** RFC 6120 section 5 or XEP-0368. */
  readonly tls: "starttls" | "direct";
  readonly hostname: string;
  readonly port: number;
}

export const listenRule = `must be "host:port", "[::1]:5280" or "unix:/run/post-msg.sock"`;
export const modeRule = `must be permissions in octal, in quotes, such as "0660", that let the owner read and write`;
export const pathRule = `must begin with "/" and end without one, such as "/msg", of letters, digits and ._~-`;
export const connectRule = `must be "xmpp://host:port" (STARTTLS) or "xmpps://host:port" (direct TLS)`;

/** What a Linux sockaddr_un holds, without its closing NUL. */
const maxSocketPathBytes = 107;
const maxPort = 65_535;
const hugePort = `; a port is at most ${maxPort}`;
const reservedPaths = ["/rest", "/health", "/docs", "/openapi.json"];

export function parseListen(text: string): Read<ListenAddress> {
  if (text.startsWith("unix:")) return parseSocketPath(text.slice("unix:".length));
  const address = parseHostAndPort(text);
  return address?.port === undefined
    ? { rule: `${listenRule}${whyNoListen(text)}` }
    : { value: { hostname: address.hostname, port: address.port } };
}

/** The mistakes that are easily made, each with its remedy; "" for all others. */
function whyNoListen(text: string): string {
  if (text.includes("://")) return "; it is no URL";
  if (text.startsWith("/")) return `; a socket is "unix:" and its path`;
  if (hasHugePort(text)) return hugePort;
  const [, anywhere] = /^\*?:(\d+)$/.exec(text) ?? [];
  if (anywhere !== undefined) return `; on all addresses it is "0.0.0.0:${anywhere}" or "[::]:${anywhere}"`;
  if (/^[^[]*:.*:/.test(text)) return "; an IPv6 address stands in brackets";
  return /^[^:]+:?$/.test(text) ? "; the port is missing" : "";
}

function hasHugePort(text: string): boolean {
  const [, port] = /:(\d+)$/.exec(text) ?? [];
  return port !== undefined && Number(port) > maxPort;
}

function parseSocketPath(unixPath: string): Read<ListenAddress> {
  if (!/^\/\P{Cc}*[^/\p{Cc}]$/u.test(unixPath)) return { rule: `${listenRule}; a socket's path begins with "/"` };
  return Buffer.byteLength(unixPath) > maxSocketPathBytes
    ? { rule: `must name a socket path of at most ${maxSocketPathBytes} bytes` }
    : { value: { unixPath } };
}

/** Of the nine bits; without those of the owner, nobody could connect. */
export function parseMode(text: string): Read<number> {
  const mode = /^0?[67][0-7]{2}$/.test(text) ? Number.parseInt(text, 8) : undefined;
  return mode === undefined ? { rule: modeRule } : { value: mode };
}

export function parsePath(text: string): Read<string> {
  if (!/^(?:\/[A-Za-z0-9._~-]+)+$/.test(text) || /\/\.{1,2}(?:\/|$)/.test(text)) return { rule: pathRule };
  const reserved = reservedPaths.find((path) => text === path || text.startsWith(`${path}/`));
  return reserved === undefined ? { value: text } : { rule: `must not be "${reserved}", which has its own use` };
}

export function parseConnect(text: string): Read<ConnectAddress> {
  const [, scheme = "", rest = ""] = /^(xmpps?):\/\/(.+)$/i.exec(text) ?? [];
  const address = parseHostAndPort(rest);
  if (address === undefined || address.port === 0) {
    return { rule: `${connectRule}${hasHugePort(rest) ? hugePort : ""}` };
  }
  const direct = scheme.toLowerCase() === "xmpps";
  return {
    value: {
      tls: direct ? "direct" : "starttls",
      hostname: address.hostname,
      port: address.port ?? (direct ? 5223 : 5222),
    },
  };
}

/** Whether one of them leaves no room for the other. */
export function isSamePlace(one: ListenAddress, other: ListenAddress): boolean {
  if ("unixPath" in one || "unixPath" in other) {
    return "unixPath" in one && "unixPath" in other && one.unixPath === other.unixPath;
  }
  const hostnames = [one.hostname, other.hostname];
  const overlap = one.hostname === other.hostname || hostnames.some((name) => name === "0.0.0.0" || name === "::");
  return one.port === other.port && one.port !== 0 && overlap;
}

/** Whether what is sent there stays on this machine. */
export function isLoopback(hostname: string): boolean {
  if (isIPv4(hostname)) return hostname.startsWith("127.");
  return hostname === "localhost" || (isIPv6(hostname) && /^[0:]*:0*1$/.test(hostname));
}

function parseHostAndPort(text: string): { readonly hostname: string; readonly port: number | undefined } | undefined {
  const [, bracketed, plain = "", digits] = /^(?:\[([^[\]]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && port > maxPort) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { hostname: bracketed.toLowerCase(), port } : undefined;
  return isIPv4(plain) || isHostName(plain) ? { hostname: plain.toLowerCase(), port } : undefined;
}

/** RFC 1123 section 2.1; underscores because names with them exist. A last label of digits is a mistyped address. */
function isHostName(name: string): boolean {
  const labels = name.split(".");
  const wellFormed = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return name.length <= 253 && wellFormed && !/^\d+$/.test(labels.at(-1) ?? "");
}
