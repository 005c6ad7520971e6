import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contentHash } from "../../components/conventions/content-hash";
import type { Identity, Release } from "../../components/conventions/labels";
import type { PodArgs } from "../../components/pods/args";
import type { CommandTemplateArgs } from "../../components/scheduled-job/command-template";
import type { ScheduledJobArgs } from "../../components/scheduled-job/scheduled-job";
import type { WebServiceArgs } from "../../components/web-service/web-service";

export const digest = `sha256:${"a".repeat(64)}`;
export const imageRef = `registry/services-orders@${digest}`;

export const identity: Identity = {
  app: "services-orders-x",
  environment: "review",
  instance: "services-orders-x",
  protectedBranch: false,
  service: "services-orders",
};

export const release: Release = { branch: "feature/x", commit: "0123456789".repeat(4) };

export const database = { host: "db.example", name: "orders", secretName: "db-user" };

export const web: WebServiceArgs = { identity, imageRef, namespace: "ns", release };

export const job: ScheduledJobArgs = {
  args: ["expire-unpaid", "--older-than", "48h"],
  identity,
  imageRef,
  namespace: "ns",
  release,
  schedule: "0 * * * *",
};

export const command: CommandTemplateArgs = { identity, imageRef, namespace: "ns", release };

/** A value for each arg of `PodArgs`. WebService and ScheduledJob have all of these args. */
export const everyPodArg: Required<PodArgs> = {
  annotations: { "example.com/object": "1" },
  configFiles: { "/etc/orders/limits.json": "{}" },
  cpuLimit: "2",
  datadogAgent: { imageRef },
  env: { LOG_LEVEL: "debug", TOKEN: { key: "token", secretName: "partner" } },
  iamRoleArn: "arn:aws:iam::123456789012:role/orders",
  initContainers: [{ image: imageRef, name: "before" }],
  javaOptions: ["-Xlog:gc"],
  labels: { team: "orders" },
  logSource: "java",
  memoryLimit: "1Gi",
  nodeSelector: { "kubernetes.io/arch": "arm64" },
  podAnnotations: { "example.com/pod": "1" },
  podLabels: { pod: "1" },
  secretFiles: [{ keys: ["token"], mountPath: "/etc/secrets/partner", secretName: "partner" }],
  sidecars: [{ image: imageRef, name: "beside" }],
  tolerations: [{ key: "spot", operator: "Exists" }],
  volumeMounts: [{ mountPath: "/cache", name: "cache" }],
  volumes: [{ emptyDir: {}, name: "cache" }],
};

/**
 * A repository in a temporary directory. If `built` is true, the repository contains a built jar.
 */
export class Repository {
  readonly root = mkdtempSync(join(tmpdir(), "repository-"));

  constructor(built = true) {
    this.write("service/Dockerfile", "FROM scratch AS base\nFROM base\n");
    this.write("service/pom.xml", "<project/>");
    this.write("service/src/main/java/Main.java", "class Main {}");
    if (built) this.build();
  }

  build(): void {
    // Deletes the old jars, like the real build.
    rmSync(join(this.root, "service/target/image"), { force: true, recursive: true });
    this.write(`service/target/image/services-orders-${contentHash(this.root)}.jar`, "jar");
  }

  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  remove(): void {
    rmSync(this.root, { force: true, recursive: true });
  }
}
