import assert from "node:assert/strict";
import { certificateIn, covers } from "../../../operations/doctor/certificate";
import {
  type Named,
  clusterDnsIn,
  ingressClassIn,
  platformsIn,
  readinessGatesIn,
  storageClassIn,
} from "../../../operations/doctor/cluster-checks";
import { unanswered } from "../../../operations/doctor/finding";
import { isHealthy, linesOf } from "../../../operations/doctor/platform";
import { command } from "../../../lib/command";

const named = (name: string, annotations: Readonly<Record<string, string>> = {}): Named => ({
  metadata: { annotations, name },
});

describe("the doctor's checks of a cluster", () => {
  it("wants the IngressClass of the settings, or a default one", () => {
    const isDefault = { "ingressclass.kubernetes.io/is-default-class": "true" };
    assert.equal(ingressClassIn([named("alb")], "alb").status, "ok");
    assert.match(
      ingressClassIn([named("nginx")], "alb").text,
      /no IngressClass alb \(it has nginx\)\. Install .*AWS Load Balancer Controller/,
    );
    assert.equal(ingressClassIn([named("traefik", isDefault)], undefined).status, "ok");
    assert.equal(ingressClassIn([named("traefik")], undefined).status, "wrong");
    assert.match(ingressClassIn([], "alb").text, /no IngressClass/);
  });

  it("wants a default StorageClass", () => {
    const isDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
    assert.equal(storageClassIn([named("gp3", isDefault)]).status, "ok");
    assert.equal(storageClassIn([named("gp3")]).status, "wrong");
  });

  it("wants images for the platform of every node", () => {
    const node = (architecture: string) => ({
      ...named(architecture),
      status: { nodeInfo: { architecture, operatingSystem: "linux" } },
    });
    assert.equal(platformsIn([node("amd64")], ["linux/amd64", "linux/arm64"]).status, "ok");
    const found = platformsIn([node("arm64"), node("amd64"), node("arm64")], ["linux/amd64"]);
    assert.equal(found.status, "wrong");
    assert.match(found.text, /nodes for linux\/arm64\. Add these platforms to imagePlatforms/);
  });

  it("wants the setting for a DNS that does not run in pods", () => {
    const [pods, none] = [[named("coredns-1")], []];
    assert.equal(clusterDnsIn({ daemonSets: none, pods }, []).status, "ok");
    assert.match(
      clusterDnsIn({ daemonSets: none, pods: none }, []).text,
      /Add the address of the Service kube-dns to clusterDnsCidrs/,
    );
    assert.equal(clusterDnsIn({ daemonSets: none, pods: none }, ["172.20.0.10/32"]).status, "ok");
    const local = { daemonSets: [named("node-local-dns")], pods };
    assert.match(clusterDnsIn(local, []).text, /Add 169\.254\.20\.10\/32/);
    assert.equal(clusterDnsIn(local, ["172.20.0.10/32"]).status, "wrong");
    assert.equal(clusterDnsIn(local, ["169.254.20.10/32"]).status, "ok");
  });

  it("wants the webhook that adds readiness gates", () => {
    const webhooks = [{ name: "mservice.elbv2.k8s.aws" }, { name: "mpod.elbv2.k8s.aws" }];
    const controller = named("aws-load-balancer-webhook");
    assert.equal(readinessGatesIn([{ ...controller, webhooks }]).status, "ok");
    assert.equal(
      readinessGatesIn([{ ...controller, webhooks: webhooks.slice(0, 1) }]).status,
      "wrong",
    );
  });

  it("wants a certificate for the hosts of review stacks: a wildcard covers one label", () => {
    assert.ok(covers("*.review.example.com", "orders-a.review.example.com"));
    assert.ok(!covers("*.example.com", "orders-a.review.example.com"));
    assert.ok(!covers("*.review.example.com", "review.example.com"));
    const list = (...names: readonly string[]) =>
      JSON.stringify({
        CertificateSummaryList: [
          { DomainName: "example.com", SubjectAlternativeNameSummaries: names },
        ],
      });
    const host = "orders-a.review.example.com";
    assert.equal(certificateIn(list("*.review.example.com"), host, "eu").status, "ok");
    assert.match(
      certificateIn(list("*.example.com"), host, "eu").text,
      /no issued certificate for orders-a.*Request one for \*\.review\.example\.com/,
    );
    assert.equal(certificateIn("{}", host, "eu").status, "unknown");
  });

  it("is unknown if the role may not ask, or nothing answers", async () => {
    const failing = async (text: string): Promise<unknown> =>
      command("sh", ["-c", `echo '${text}' >&2; exit 1`]).catch((error: unknown) => error);
    const forbidden = await failing("Error from server (Forbidden): ingressclasses is forbidden");
    assert.match(unanswered(forbidden, "list them").text, /^this role may not list them\./);
    const other = await failing("connection refused");
    assert.deepEqual(unanswered(other, "list them"), {
      status: "unknown",
      text: "could not list them: connection refused",
    });
  });
});

describe("the doctor's report", () => {
  const good = { check: "metrics API", status: "ok", text: "answers" } as const;
  const bad = { check: "certificate", status: "unknown", text: "ask AWS" } as const;

  it("has a line for each check", () => {
    assert.deepEqual(linesOf({ cluster: "context a", rows: [good, bad] }), [
      "context a:",
      "  ok       metrics API  answers",
      "  unknown  certificate  ask AWS",
    ]);
  });

  it("is healthy only if every check is ok", () => {
    assert.ok(isHealthy([{ cluster: "a", rows: [good] }]));
    assert.ok(
      !isHealthy([
        { cluster: "a", rows: [good] },
        { cluster: "b", rows: [bad] },
      ]),
    );
  });
});
