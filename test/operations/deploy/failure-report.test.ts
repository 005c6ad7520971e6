import assert from "node:assert/strict";
import { mock } from "node:test";
import { rolloutFailure } from "../../../components/conventions/rollout/failure";
import { reports } from "../../../lib/reports";
import type { Cluster } from "../../../operations/clients/kubectl";
import { reportFailure } from "../../../operations/deploy/failure-report";
import { identityOf } from "../../../settings/identity";

const pod = {
  metadata: {
    creationTimestamp: "2026-01-01T11:00:00Z",
    labels: { "pod-template-hash": "a" },
    name: "web-a-1",
  },
  status: {
    initContainerStatuses: [
      {
        name: "migrate",
        ready: false,
        restartCount: 1,
        state: { waiting: { reason: "CrashLoopBackOff" } },
      },
    ],
    phase: "Pending",
  },
};
const log = [
  "Picked up JAVA_TOOL_OPTIONS: -Xmx1g",
  JSON.stringify({ level: "ERROR", message: "no: jdbc:postgresql://db/a?password=hush-hush" }),
].join("\n");

describe("the report of a failed deploy", () => {
  let asked: string[];
  let failing: readonly string[];
  let said: string[];
  let left: string[];
  const cluster = {
    kubectl: async (args: readonly string[]) => {
      asked.push(args.join(" "));
      if (args[0] === "logs") return Promise.resolve(log);
      if (failing.includes(args[1] ?? "")) throw new Error("no answer within 10 s");
      return Promise.resolve(JSON.stringify({ items: args[1] === "pods" ? [pod] : [] }));
    },
  } as Cluster;
  beforeEach(() => {
    [asked, failing, said, left] = [[], [], [], []];
    mock.method(console, "error", (line: string) => said.push(line));
    mock.method(reports, "addCause", (text: string) => left.push(text));
    mock.method(reports, "addDetail", (text: string) => left.push(text));
  });
  afterEach(() => {
    mock.restoreAll();
  });
  const report = async (
    environment: "canary" | "prod",
    cause = rolloutFailure("web", "no pod is ready"),
  ): Promise<void> =>
    reportFailure(
      cluster,
      { environment, identity: identityOf(environment, ""), namespace: "shop" },
      { causes: [cause], since: new Date("2026-01-01T12:00:00Z") },
    );

  it("has the same cause and log lines on the terminal and in the files, without secrets", async () => {
    await report("prod");
    assert.deepEqual(left, [
      "Pod web-a-1, migrate: CrashLoopBackOff",
      "Last lines of web-a-1, migrate (previous run):\n  ERROR no: jdbc:postgresql://db/a?password=[secret]",
    ]);
    for (const text of left) assert.ok(said.join("\n").includes(text), said.join("\n"));
    const next = "kubectl logs web-a-1 --container migrate --namespace shop --previous";
    assert.equal(said.at(-1), `To see all of it: ${next}`);
  });

  it("leaves out older pods if the update ended before the rollout", async () => {
    await report("prod", "failed to solve: process did not complete successfully");
    assert.deepEqual(left, []);
    assert.match(said.join("\n"), /nothing: see Pulumi's output above for the cause/);
  });

  it("says which lists it could not read, and not that there is nothing", async () => {
    failing = ["events", "pods"];
    await report("prod");
    assert.deepEqual(said, [
      "\nWhat Kubernetes says in namespace shop:",
      "  - could not read events: no answer within 10 s",
      "  - could not read pods: no answer within 10 s",
    ]);
  });

  for (const [environment, other] of [
    ["prod", "canary"],
    ["canary", "stable"],
  ] as const) {
    it(`of ${environment} leaves out the pods of the track ${other} in the same namespace`, async () => {
      await report(environment);
      const pods = asked.find((args) => args.startsWith("get pods "));
      assert.match(pods ?? "", new RegExp(`--selector \\S+,track!=${other}( |$)`));
    });
  }
});
