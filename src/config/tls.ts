/** The certificate and the key that make the listener speak HTTPS, and what to say of one that speaks plain HTTP. */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isLoopback, type ListenAddress } from "./addresses.ts";
import { readCertificates, whyUnreadable } from "./certificates.ts";
import type { Report } from "./read.ts";
import type { TomlEntry } from "./toml.ts";

/** PEM. */
export interface Tls {
  /** The server's own certificate, then those that lead from it to a root. */
  readonly certificates: string;
  readonly key: string;
}

interface Written {
  /** Where relative paths start. */
  readonly folder: string;
  /** Undefined where the file does not have it; "" is the same as that. */
  readonly cert: TomlEntry | undefined;
  readonly key: TomlEntry | undefined;
}

const keyRule = "must name a readable file with a PEM private key that has no passphrase";

/** Undefined: plain HTTP, or a problem that was reported. */
export async function readTls({ folder, cert, key }: Written, report: Report): Promise<Tls | undefined> {
  const [certPath, keyPath] = [pathOf(cert), pathOf(key)];
  if (cert !== undefined && certPath !== "" && keyPath === "") report.problem(cert, "must stand beside tls_key");
  if (key !== undefined && keyPath !== "" && certPath === "") report.problem(key, "must stand beside tls_cert");
  if (cert === undefined || key === undefined || certPath === "" || keyPath === "") return undefined;

  const certificates = await readCertificates(resolve(folder, certPath));
  if ("rule" in certificates) report.problem(cert, certificates.rule);
  const read = await readKey(resolve(folder, keyPath));
  if ("rule" in read) report.problem(key, read.rule);
  if ("rule" in certificates || "rule" in read) return undefined;

  const own = new X509Certificate(certificates.value[0] ?? "");
  if (!own.checkPrivateKey(read.key)) report.problem(key, "must be the key of the first certificate in tls_cert");
  if (own.validToDate < new Date()) {
    report.warning(cert, `should be renewed: it has been invalid since ${own.validToDate.toISOString()}`);
  }
  return { certificates: certificates.value.join("\n"), key: read.pem };
}

/** Basic credentials are readable on the way unless something encrypts it. */
export function warnOfPlainHttp(
  listen: ListenAddress,
  isEncrypted: boolean,
  entry: TomlEntry | undefined,
  report: Report,
): void {
  if (entry === undefined || isEncrypted || "unixPath" in listen || isLoopback(listen.hostname)) return;
  report.warning(
    entry,
    "should be a loopback address, or stand beside tls_cert and tls_key, or beside the trusted_proxies that speak HTTPS in front of it, since passwords cross the network in the clear",
  );
}

function pathOf(entry: TomlEntry | undefined): string {
  return typeof entry?.value === "string" ? entry.value : "";
}

async function readKey(path: string): Promise<{ readonly pem: string; readonly key: KeyObject } | { rule: string }> {
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    return { rule: `${keyRule}; ${whyUnreadable(error)}` };
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return { rule: `${keyRule}; there is none in it` };
  if (/-----BEGIN ENCRYPTED |^Proc-Type: .*ENCRYPTED/m.test(pem)) return { rule: `${keyRule}; it has a passphrase` };
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch {
    return { rule: `${keyRule}; the one in it cannot be read` }; // The library's own words might quote the file.
  }
}
