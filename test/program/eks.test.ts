import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterIdentity } from "../../components/conventions/eks-user";
import { eksKubeconfig } from "../../program/eks";
import { record } from "../support/mocks";

interface Kubeconfig {
  readonly users: readonly {
    readonly user: { readonly exec: { args: string[]; command: string } };
  }[];
}

describe("the kubeconfig of an EKS cluster", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "aws-"));
    writeFileSync(join(directory, "aws"), '#!/bin/sh\nprintf "aws %s" "$*"\n');
    chmodSync(join(directory, "aws"), 0o755);
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** Returns what the credential plugin of the kubeconfig prints. */
  async function credential(
    identity: ClusterIdentity,
    token = "",
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    await record("local", () => ({
      arn: "arn",
      certificateAuthorities: [{ data: "ca" }],
      endpoint: "https://cluster",
    }));
    const text = await eksKubeconfig({ name: "one", region: "eu-central-1" }, identity);
    const { args = [], command = "" } = (JSON.parse(text) as Kubeconfig).users[0]?.user.exec ?? {};
    const env = {
      ...more,
      CIRCLE_OIDC_TOKEN_V2: token,
      PATH: `${directory}:${String(process.env["PATH"])}`,
    };
    return execFileSync(command, args, { encoding: "utf8", env });
  }
  const byRole = "aws eks get-token --cluster-name one --region eu-central-1 --output json";

  it("asks AWS for a token, also in a job of CircleCI", async () => {
    assert.equal(await credential("aws", "a.b.c"), byRole);
  });

  it("takes the job's own token when the cluster must know the branch", async () => {
    assert.deepEqual(JSON.parse(await credential("circleci-token", "a.b.c")), {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      kind: "ExecCredential",
      status: { token: "a.b.c" },
    });
  });

  it("asks AWS in a job of the deploy project, whose tokens the cluster does not accept", async () => {
    const ofDeployProject = { CLUSTER_IDENTITY: "aws" };
    assert.equal(await credential("circleci-token", "a.b.c", ofDeployProject), byRole);
    const other = { CLUSTER_IDENTITY: "circleci-token" };
    assert.match(await credential("circleci-token", "a.b.c", other), /"token":"a\.b\.c"/);
  });

  it("asks AWS outside of CI all the same", async () => {
    assert.equal(await credential("circleci-token"), byRole);
  });
});
