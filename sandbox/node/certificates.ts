import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { command } from "../../lib/command";
import { replaceFile } from "../../lib/replace";
import { tool, toolEnvironment } from "../install/debian";
import { net, paths } from "../layout";

/** Name of the Kubernetes node. The kubelet's user name contains this name. */
export const NODE = "sandbox";

const directory = join(paths.cluster, "pki");
/**
 * Certificates are valid for 365 days. If the certificates expire within 30 days, a start of the
 * sandbox creates new authorities and new certificates.
 */
const DAYS = 365;
const RENEW_DAYS = 30;

interface Subject {
  readonly commonName: string;
  /** Kubernetes group of the user. */
  readonly organization?: string;
  readonly authority: "ca" | "front-proxy-ca";
  /** DNS names and IP addresses of a server. */
  readonly alternativeNames?: readonly string[];
}

const subjects = {
  apiserver: {
    commonName: "kube-apiserver",
    authority: "ca",
    alternativeNames: [
      ...["", ".default", ".default.svc", ".default.svc.cluster.local"].map(
        (domain) => `DNS:kubernetes${domain}`,
      ),
      ...[net.nodeAddress, net.apiService, "127.0.0.1"].map((address) => `IP:${address}`),
    ],
  },
  "kubelet-server": {
    commonName: NODE,
    authority: "ca",
    alternativeNames: [`DNS:${NODE}`, `IP:${net.nodeAddress}`],
  },
  "apiserver-kubelet": {
    commonName: "kube-apiserver-kubelet",
    organization: "system:masters",
    authority: "ca",
  },
  "front-proxy": { commonName: "front-proxy-client", authority: "front-proxy-ca" },
  admin: { commonName: "admin", organization: "system:masters", authority: "ca" },
  kubelet: { commonName: `system:node:${NODE}`, organization: "system:nodes", authority: "ca" },
  "controller-manager": { commonName: "system:kube-controller-manager", authority: "ca" },
  scheduler: { commonName: "system:kube-scheduler", authority: "ca" },
  proxy: { commonName: "system:kube-proxy", authority: "ca" },
  traefik: { commonName: "sandbox:traefik", authority: "ca" },
  "network-policies": { commonName: "sandbox:network-policies", authority: "ca" },
  "local-path-provisioner": { commonName: "sandbox:local-path-provisioner", authority: "ca" },
} as const satisfies Record<string, Subject>;

export type SubjectName = keyof typeof subjects;

export const certificate = (name: SubjectName | Subject["authority"]): string =>
  join(directory, `${name}.crt`);
export const key = (name: SubjectName | Subject["authority"] | "service-accounts"): string =>
  join(directory, `${name}.key`);
export const serviceAccountsPublicKey = join(directory, "service-accounts.pub");
export const kubeconfig = (name: SubjectName): string => join(paths.cluster, `${name}.kubeconfig`);

export async function openssl(...args: string[]): Promise<void> {
  await command(tool("openssl"), args, { env: { ...toolEnvironment, OPENSSL_CONF: "/dev/null" } });
}

function stillValid(): boolean {
  const known = join(directory, ".subjects");
  if (!existsSync(known) || readFileSync(known, "utf8") !== JSON.stringify(subjects)) {
    return false;
  }
  const expires = Date.parse(new X509Certificate(readFileSync(certificate("apiserver"))).validTo);
  return expires - Date.now() > RENEW_DAYS * 24 * 3600 * 1000;
}

/**
 * Creates the cluster's certificate authorities, certificates and kubeconfigs. Does nothing if
 * certificates for the current `subjects` exist and do not expire within 30 days.
 */
export async function ensureCertificates(): Promise<void> {
  if (stillValid()) {
    return;
  }
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
  ];
  await issue("ca", "/CN=ca", authority);
  await issue("front-proxy-ca", "/CN=front-proxy-ca", authority);
  await Promise.all(
    Object.entries<Subject>(subjects).map(async ([name, subject]) => {
      const organization = subject.organization === undefined ? "" : `/O=${subject.organization}`;
      const names = subject.alternativeNames ?? [];
      const extensions = [
        "keyUsage=critical,digitalSignature,keyEncipherment",
        "extendedKeyUsage=serverAuth,clientAuth",
        ...(names.length === 0 ? [] : [`subjectAltName=${names.join(",")}`]),
      ];
      const distinguishedName = `${organization}/CN=${subject.commonName}`;
      await issue(name as SubjectName, distinguishedName, extensions, subject.authority);
    }),
  );
  await openssl("genrsa", "-out", key("service-accounts"), "2048");
  await openssl("rsa", "-in", key("service-accounts"), "-pubout", "-out", serviceAccountsPublicKey);
  for (const name of Object.keys(subjects) as SubjectName[]) {
    writeKubeconfig(name);
  }
  replaceFile(join(directory, ".subjects"), JSON.stringify(subjects));
}

/** Creates a key and its certificate. Without `authority`, the certificate is self-signed. */
async function issue(
  name: SubjectName | Subject["authority"],
  subject: string,
  extensions: readonly string[],
  authority?: Subject["authority"],
): Promise<void> {
  await openssl(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", key(name), "-out", certificate(name), "-subj", subject, "-days", String(DAYS)],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...(authority === undefined ? [] : ["-CA", certificate(authority), "-CAkey", key(authority)]),
  );
}

function writeKubeconfig(name: SubjectName): void {
  const data = (file: string): string => readFileSync(file).toString("base64");
  const context = "services-orders-sandbox";
  const cluster = {
    server: `https://${net.nodeAddress}:${String(net.apiPort)}`,
    "certificate-authority-data": data(certificate("ca")),
  };
  const user = {
    "client-certificate-data": data(certificate(name)),
    "client-key-data": data(key(name)),
  };
  const { commonName } = subjects[name];
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: context, cluster }],
    users: [{ name: commonName, user }],
    contexts: [{ name: context, context: { cluster: context, user: commonName } }],
    "current-context": context,
  };
  // Writes JSON, because JSON is valid YAML and every reader of a kubeconfig accepts YAML.
  replaceFile(kubeconfig(name), JSON.stringify(content, undefined, 2), 0o600);
}
