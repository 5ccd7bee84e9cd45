/**
 * A certificate authority made on the spot, so that no key or certificate lives in the repository and none of them can
 * run out. Keys are EC P-256: making one takes about a millisecond.
 */

// The X.509 library needs the polyfill to be there first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 24 * 60 * 60 * 1000;

export interface CertificateRequest {
  /** Default: none. A certificate without any name fits no host. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Default: yesterday. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
  /** Default: the first name. Clients must not look at it where a subjectAltName exists (RFC 6125 section 6.4.4). */
  readonly commonName?: string;
}

export interface IssuedCertificate {
  /** The certificate alone; the authority's own stands in `Authority.certificatePem`. */
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

export interface Authority {
  /** What a client has to trust. */
  readonly certificatePem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
  /** A certificate that only vouches for itself; this authority has no part in it. */
  selfSigned(request: CertificateRequest): Promise<IssuedCertificate>;
}

/** Two authorities of the same name are different ones: their keys differ. */
export async function makeAuthority(name = "Test Authority"): Promise<Authority> {
  const keys = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity({}),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${root.toString("pem")}\n`,
    issue: (request) => issueCertificate(request, root, keys.privateKey),
    selfSigned: (request) => issueCertificate(request),
  };
}

async function issueCertificate(
  request: CertificateRequest,
  issuer?: x509.X509Certificate,
  issuerKey?: CryptoKey,
): Promise<IssuedCertificate> {
  const keys = await makeKeys();
  const subject = [{ CN: [request.commonName ?? request.dnsNames?.[0] ?? request.ipAddresses?.[0] ?? "nobody"] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer?.subjectName.toJSON() ?? subject,
    publicKey: keys.publicKey,
    signingKey: issuerKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    ...validity(request),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // Without keyCertSign a certificate's own key would not count as its issuer, as it does with "openssl req -x509".
      ...(issuer === undefined ? [] : [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ...alternativeNames(request),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, keyPem: await exportKey(keys.privateKey) };
}

function alternativeNames({ dnsNames = [], ipAddresses = [] }: CertificateRequest): x509.Extension[] {
  const names = [
    ...dnsNames.map((value) => ({ type: x509.DNS, value })),
    ...ipAddresses.map((value) => ({ type: x509.IP, value })),
  ] as const;
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])];
}

function validity(request: CertificateRequest): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: request.notBefore ?? new Date(Date.now() - dayMs),
    notAfter: request.notAfter ?? new Date(Date.now() + 30 * dayMs),
  };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function exportKey(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function serialNumber(): string {
  // A leading 01 keeps the DER integer positive and of full length.
  return `01${Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString("hex")}`;
}
