import assert from "node:assert/strict";
import { identityOf } from "../../../../settings/identity";
import type { Settings } from "../../../../settings";
import { labels } from "../../../../components/conventions/labels";
import { namespacedRules } from "../../../../platform/cluster-roles";
import { clusterIn, namespaceIn } from "../../../../operations/doctor/stack/cluster";
import { certificateIn, dnsOf } from "../../../../operations/doctor/stack/host";
import {
  type Permission,
  needs,
  permissionsIn,
} from "../../../../operations/doctor/stack/permissions";
import { clockIn, registryIn } from "../../../../operations/doctor/stack/registry";
import { secretsOf } from "../../../../operations/doctor/stack/secrets";
import { kubectlIn } from "../../../../operations/doctor/stack/tools";
import type { Finding } from "../../../../operations/doctor/finding";

/** Checks the status and the text of a finding. */
function is({ status, text }: Finding, expected: Finding["status"], says: RegExp): void {
  assert.equal(status, expected, text);
  assert.match(text, says);
}

describe("the doctor's findings about a stack", () => {
  it("accept a kubectl that is one minor version older or newer than the cluster", () => {
    const output = (client: string, server: string) =>
      JSON.stringify({
        clientVersion: { gitVersion: client },
        serverVersion: { gitVersion: server },
      });
    is(kubectlIn(output("v1.33.9", "v1.34.4")), "ok", /^v1\.33\.9, the cluster has v1\.34\.4$/);
    is(kubectlIn(output("v1.35.0", "v1.34.4-eks-1")), "ok", /eks/);
    is(kubectlIn(output("v1.32.0", "v1.34.4")), "wrong", /Install kubectl 1\.34: it supports/);
    is(kubectlIn(output("v1.36.0", "v1.34.4")), "wrong", /Install kubectl 1\.34/);
    is(kubectlIn("what?"), "wrong", /Install kubectl again/);
  });

  it("name the cluster of the stack if the kubeconfig points to another one", () => {
    const settings = { clusterUid: undefined, context: "work", eksCluster: undefined };
    is(clusterIn("a", settings, { clusterUid: "a" }), "ok", /^context "work" answers, and is/);
    is(clusterIn("a", settings, undefined), "ok", /^context "work" answers$/);
    const other = /is the cluster b, but the stack belongs to the cluster a\. Choose the right/;
    is(clusterIn("b", settings, { clusterUid: "a" }), "wrong", other);
    is(clusterIn("b", { ...settings, clusterUid: "a" }, { clusterUid: "b" }), "wrong", other);
  });

  it("want a namespace of the stack's own, which only a local or review stack creates", () => {
    const of = (environment: "local" | "staging") =>
      ({ environment, identity: identityOf(environment, environment), namespace: "n" }) as Settings;
    const metadata = { creationTimestamp: "", name: "n", uid: "u" };
    const own = labels(of("staging").identity, "namespace");
    is(namespaceIn(undefined, of("local")), "ok", /the first deploy creates it/);
    is(namespaceIn(undefined, of("staging")), "wrong", /An administrator creates it/);
    is(namespaceIn({ metadata: { ...metadata, labels: own } }, of("staging")), "ok", /^n$/);
    is(
      namespaceIn({ metadata }, of("staging")),
      "wrong",
      /does not belong to this stack: its label/,
    );
    const going = { ...metadata, deletionTimestamp: "2026-01-31T00:00:00Z", labels: own };
    is(namespaceIn({ metadata: going }, of("staging")), "wrong", /Wait until it is gone/);
  });

  it("find every Secret that the pods of a Deployment or a CronJob use", () => {
    const ref = (name: string) => ({ valueFrom: { secretKeyRef: { name } } });
    const spec = {
      containers: [{ env: [ref("a"), {}], envFrom: [{ secretRef: { name: "b" } }, {}] }],
      imagePullSecrets: [{ name: "c" }],
      initContainers: [{ env: [ref("d"), ref("a")] }],
      volumes: [{ secret: { secretName: "e" } }, {}],
    };
    const template = { spec };
    assert.deepEqual([...secretsOf({ spec: { template } })].sort(), ["a", "b", "c", "d", "e"]);
    const cronJob = { spec: { jobTemplate: { spec: { template } } } };
    assert.equal(secretsOf(cronJob).length, 5);
    assert.deepEqual(secretsOf({ spec: {} }), []);
  });

  it("understand each answer of a registry", () => {
    const repository = "registry.example/orders";
    const digest = "sha256:abc";
    const image = { digest, repository };
    const built = { digest: undefined, repository };
    const answer = (status: number, code?: string) => ({ code, status });
    is(registryIn(answer(200), image, true), "ok", /has the image of the stack/);
    is(
      registryIn(answer(404), image, false),
      "wrong",
      /does not have the image sha256:abc any more/,
    );
    is(registryIn(answer(404, "MANIFEST_UNKNOWN"), built, true), "ok", /orders answers$/);
    is(registryIn(answer(404, "NAME_UNKNOWN"), built, true), "wrong", /npm run platform -- up/);
    // Registries other than ECR create a repository at the first push.
    is(registryIn(answer(404, "NAME_UNKNOWN"), built, false), "ok", /orders answers$/);
    is(registryIn(answer(401), built, true), "wrong", /docker login, or check the AWS role/);
    is(registryIn(answer(403), image, true), "wrong", /answers 403/);
    is(registryIn(answer(503), built, true), "unknown", /answers 503\. Try again/);
  });

  it("allow a difference of one minute between two clocks", () => {
    const sent = 1_700_000_000_500;
    const at = (seconds: number) =>
      clockIn({ date: new Date(sent - 500 + seconds * 1000), received: sent + 20_000, sent });
    is(at(0), "ok", /agrees/);
    is(at(20), "ok", /agrees/);
    is(at(80), "ok", /agrees/);
    is(at(-59), "ok", /agrees/);
    is(at(300), "wrong", /^5 min behind the clock of the registry\. Synchronize/);
    is(at(-300), "wrong", /^5 min ahead of the clock of the registry/);
    is(clockIn({ date: undefined, received: sent, sent }), "unknown", /has no time/);
  });

  it("know what DNS means before and after the first deploy", async () => {
    const failing = (code: string) => async () =>
      Promise.reject(Object.assign(new Error(code), { code }));
    const host = "orders.example.com";
    const known = async () => Promise.resolve(["10.0.0.1"]);
    is(await dnsOf(host, true, known), "ok", /^orders\.example\.com is 10\.0\.0\.1$/);
    is(await dnsOf(host, true, failing("ENOTFOUND")), "wrong", /connect to the company's network/);
    is(await dnsOf(host, false, failing("ENOTFOUND")), "ok", /creates the record after a deploy/);
    is(await dnsOf(host, undefined, failing("ENOTFOUND")), "unknown", /DNS does not know/);
    is(await dnsOf(host, true, failing("ETIMEOUT")), "unknown", /no DNS server answers.*ETIMEOUT/);
    is(await dnsOf("orders.localhost", true, failing("ENOTFOUND")), "ok", /^not needed/);
  });

  it("want a certificate that clients accept for two more weeks", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const until = (day: string, issue?: string) =>
      certificateIn("h", { issue, validTo: new Date(`2026-01-${day}T00:00:00Z`) }, now);
    is(until("31"), "ok", /^h has a certificate until 2026-01-31$/);
    is(until("10"), "wrong", /expires in 9 d\. ACM renews it only if/);
    is(until("31", "self-signed certificate"), "wrong", /refuse \(self-signed certificate\)/);
  });
});

describe("the permissions that the doctor asks for", () => {
  const all = Object.values(needs).flat();
  const text = ({ group, resource, verb }: Permission) =>
    `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
  const allowed = (role: keyof typeof namespacedRules): ReadonlySet<string> =>
    new Set(
      all
        .filter((one) =>
          namespacedRules[role].some(
            ({ apiGroups = [], resources = [], verbs }) =>
              (apiGroups as string[]).includes(one.group) &&
              (resources as string[]).includes(one.resource) &&
              (verbs as string[]).includes(one.verb),
          ),
        )
        .map(text),
    );

  it("are those of the platform's roles: a deploy may do everything, a preview only reads", () => {
    is(permissionsIn(allowed("deploy"), true), "ok", /^this role may read the stack, .*, deploy$/);
    is(
      permissionsIn(allowed("preview"), false),
      "ok",
      /^this role may read the stack, but not read logs \(get pods\/log\), .*deploy \(create configmaps, delete configmaps, and \d+ more\)\. The pipelines have/,
    );
  });

  it("are all necessary for a stack that no pipeline deploys, and to read for every stack", () => {
    is(permissionsIn(allowed("preview"), true), "wrong", /Ask an administrator/);
    is(permissionsIn(allowed("notifier"), false), "wrong", /^this role may not read the stack \(/);
  });
});
