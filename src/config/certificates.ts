/** The certificates in a PEM file. */

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Read } from "./values.ts";

const rule = "must name a readable file with PEM certificates";

export async function readCertificates(path: string): Promise<Read<readonly string[]>> {
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    return { rule: `${rule}; ${whyUnreadable(error)}` };
  }
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) return { rule: `${rule}; there is none in it` };
  const broken = certificates.findIndex((certificate) => !isCertificate(certificate));
  return broken === -1 ? { value: certificates } : { rule: `${rule}; certificate ${broken + 1} in it cannot be read` };
}

/** The file system's reason in plain words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    ENOTDIR: "there is no such file",
    EACCES: "permission to read it is missing",
    EISDIR: "it is a directory",
  };
  return reasons[code] ?? `it cannot be read (${code === "" ? "unknown reason" : code})`;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    // Not a certificate is what was asked.
    return false;
  }
}
