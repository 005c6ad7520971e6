import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { type TLSSocket, connect } from "node:tls";
import { messageOf } from "../../../lib/errors";
import { span } from "../../../lib/time";
import { certificate as inAcm } from "../certificate";
import { type Finding, type Row, checks, notNeeded, ok, unknown, wrong } from "../finding";
import type { StackCheck, StackPatient } from "./patient";

/** Timeout of one request to a DNS server, in milliseconds. */
const dnsMs = 3_000;
/** Longest time until the host has sent its certificate, in milliseconds. */
const tlsMs = 5_000;
/** If a certificate expires within this time, the result is `wrong`. In milliseconds: 14 days. */
const soonMs = 14 * 24 * 3_600_000;

type Resolve = (host: string) => Promise<readonly string[]>;

const resolved: Resolve = async (host) => {
  const resolver = new Resolver({ timeout: dnsMs, tries: 2 });
  const both = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = both.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const [first] = both;
  if (addresses.length === 0 && first.status === "rejected") throw first.reason;
  return addresses;
};

/** Names that end in `.localhost` mean this machine: RFC 6761. */
const isHere = (host: string): boolean => host === "localhost" || host.endsWith(".localhost");

/**
 * Returns whether DNS resolves the name of a host.
 *
 * @param isDeployed whether the stack was deployed. After a deploy, external-dns creates the DNS
 * record of the host. Undefined if the state cannot be read
 */
export async function dnsOf(
  host: string,
  isDeployed: boolean | undefined,
  resolve: Resolve = resolved,
): Promise<Finding> {
  if (isHere(host) || isIP(host) !== 0) return notNeeded(`${host} needs no DNS record`);
  try {
    return ok(`${host} is ${(await resolve(host)).join(", ")}`);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code !== "ENOTFOUND" && code !== "ENODATA") {
      return unknown(`no DNS server answers the query for ${host} (${code || messageOf(error)})`);
    }
    if (isDeployed === false) {
      return ok(`DNS does not know ${host} yet: external-dns creates the record after a deploy`);
    }
    const text = `DNS does not know ${host}. If the host is internal, connect to the company's network. Otherwise check external-dns`;
    return isDeployed === undefined ? unknown(text) : wrong(text);
  }
}

/** Facts about the certificate that a host sends. */
export interface Shown {
  /** Why the certificate is not valid for the host. Undefined if the certificate is valid. */
  readonly issue: string | undefined;
  readonly validTo: Date;
}

/** Reads the certificate of a host. Sends no request over the connection. */
async function shownBy(host: string, port: number, timeout: number): Promise<Shown> {
  return new Promise((resolve, reject) => {
    // This function reports a certificate that is not valid, so the connection must not fail
    // because of such a certificate.
    const options = { host, port, rejectUnauthorized: false, servername: host, timeout };
    const socket: TLSSocket = connect(options, () => {
      const { valid_to: until } = socket.getPeerCertificate();
      const issue = socket.authorized ? undefined : messageOf(socket.authorizationError);
      resolve({ issue, validTo: new Date(until) });
      socket.destroy();
    });
    socket.once("timeout", () => {
      socket.destroy(new Error("no answer"));
    });
    socket.once("error", reject);
  });
}

/** Returns whether clients accept the certificate of a host now and in the next two weeks. */
export function certificateIn(host: string, { issue, validTo }: Shown, now = Date.now()): Finding {
  if (issue !== undefined) {
    return wrong(`${host} has a certificate that clients refuse (${issue}). Check it in ACM`);
  }
  const left = validTo.getTime() - now;
  return left > soonMs
    ? ok(`${host} has a certificate until ${validTo.toISOString().slice(0, 10)}`)
    : wrong(
        `the certificate of ${host} expires in ${span(left)}. ACM renews it only if its DNS record for the validation exists`,
      );
}

async function certificateOf({ left, settings }: StackPatient): Promise<Row> {
  const { host, publicPort, tls } = settings;
  const row = (finding: Finding): Row => ({ check: checks.certificate, ...finding });
  if (!tls) return row(notNeeded("the setting tls is false"));
  try {
    const shown = await shownBy(host, publicPort ?? 443, Math.min(tlsMs, left()));
    return row(certificateIn(host, shown));
  } catch {
    // This machine may be outside of the network of an internal load balancer. So the check asks
    // ACM if the host does not answer.
    const [found] = await inAcm({ left, settings });
    return found ?? row(unknown("no answer"));
  }
}

/**
 * Whether DNS resolves the name of the stack's host, and whether the host has a valid certificate.
 */
export const host: StackCheck = async (patient) => {
  const { outputs, settings } = patient;
  const isDeployed = await outputs.then(
    (last) => last?.url !== undefined,
    () => undefined,
  );
  const [dns, certificate] = await Promise.all([
    dnsOf(settings.host, isDeployed),
    certificateOf(patient),
  ]);
  return [{ check: "DNS", ...dns }, certificate];
};
