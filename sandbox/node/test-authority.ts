import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { paths } from "../layout";
import { openssl } from "./certificates";

// BuildKit, containerd and the credential provider of the kubelet trust one certificate authority
// in addition to the authorities that the machine trusts. So a test can start a stand-in for a
// public server, such as Amazon ECR, under the server's own name and with TLS. Other programs on
// the machine do not trust this additional authority.

const directory = join(paths.cluster, "test-authority");
/**
 * This directory contains only the authority's certificate, because programs read every file in
 * this directory.
 */
const trusted = join(directory, "trusted");
/** The certificate of the authority. */
export const testAuthority = join(trusted, "ca.crt");
const authorityKey = join(directory, "ca.key");
/**
 * The authority is valid for 365 days. If the authority expires within 30 days, a start of the
 * sandbox creates a new authority.
 */
const DAYS = 365;
const RENEW_MS = 30 * 24 * 3_600_000;

/**
 * Returns the environment variable that makes a program written in Go trust the authority in
 * addition to the machine's own authorities.
 */
export function trustsTestAuthority(): { readonly SSL_CERT_DIR: string } {
  const { SSL_CERT_DIR: known = "/etc/ssl/certs:/etc/pki/tls/certs" } = process.env;
  return { SSL_CERT_DIR: `${known}:${trusted}` };
}

/**
 * Creates the authority. Does nothing if the authority exists and does not expire within 30 days.
 */
export async function ensureTestAuthority(): Promise<void> {
  if (existsSync(testAuthority)) {
    const { validTo } = new X509Certificate(readFileSync(testAuthority));
    if (Date.parse(validTo) - Date.now() > RENEW_MS) return;
  }
  mkdirSync(directory, { mode: 0o700, recursive: true });
  mkdirSync(trusted, { recursive: true });
  const made = join(directory, "ca.crt");
  await openssl(
    ...newKey(authorityKey, made, "/CN=services-orders sandbox, for tests"),
    ...["-days", String(DAYS), "-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  );
  chmodSync(authorityKey, 0o600);
  renameSync(made, testAuthority);
}

/**
 * Issues a certificate for a server with these DNS names. The certificate is valid for one day.
 *
 * @param where directory for the key and the certificate
 */
export async function issueServerCertificate(
  names: readonly string[],
  where: string,
): Promise<{ readonly cert: string; readonly key: string }> {
  const [key, cert] = [join(where, "server.key"), join(where, "server.crt")];
  await openssl(
    ...newKey(key, cert, "/CN=stand-in"),
    ...["-days", "1", "-CA", testAuthority, "-CAkey", authorityKey],
    ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`],
    ...["-addext", "extendedKeyUsage=serverAuth"],
  );
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

/** Returns openssl's arguments for a new key with a certificate. */
function newKey(key: string, certificate: string, subject: string): readonly string[] {
  return [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", key, "-out", certificate, "-subj", subject],
  ];
}
