import assert from "node:assert/strict";
import { Postgres } from "../../components/postgres/postgres";
import { CommandTemplate } from "../../components/scheduled-job/command-template";
import { ScheduledJob } from "../../components/scheduled-job/scheduled-job";
import { StackNamespace } from "../../components/namespace/stack-namespace";
import { WebService } from "../../components/web-service/web-service";
import { rules } from "../../policy/rules";
import { command, everyPodArg, identity, imageRef, job, web } from "../support/fixtures";
import { type Recorder, record, settled } from "../support/mocks";
import { said } from "../support/recorded";

const all = rules(["docker.io/registry/services-orders"]);

describe("what the components make", () => {
  let recorder: Recorder;
  beforeEach(async () => {
    recorder = await record("staging");
  });

  it("keeps every rule with as few args as can be", async () => {
    new StackNamespace("namespace", { identity, namespace: "ns" });
    new WebService("services-orders", web);
    new ScheduledJob("nightly", job);
    new CommandTemplate("services-orders", command);
    await settled();
    assert.ok(recorder.custom().length > 4);
    assert.deepEqual(said(recorder, "staging", all), []);
  });

  it("keeps every rule in a review stack, with an ephemeral database", async () => {
    new Postgres("postgres", { identity, imageRef, namespace: "ns" });
    await settled();
    assert.deepEqual(said(recorder, "review-x", all), []);
  });

  it("keeps every rule with every arg that pods share, the caller's containers with resources", async () => {
    const limits = { memory: "64Mi" };
    const resources = { limits, requests: { ...limits, cpu: "10m" } };
    const [initContainers, sidecars] = [everyPodArg.initContainers, everyPodArg.sidecars].map(
      (containers) => containers.map((container) => ({ ...container, resources })),
    );
    const args = { ...everyPodArg, initContainers: initContainers ?? [], sidecars: sidecars ?? [] };
    new WebService("services-orders", { ...web, ...args });
    new ScheduledJob("nightly", { ...job, ...args });
    await settled();
    assert.deepEqual(said(recorder, "staging", all), []);
  });

  it("is looked at after the overrides", async () => {
    new WebService("services-orders", {
      ...web,
      overrides: {
        container: (container) => ({ ...container, image: "busybox" }),
        podSpec: (spec) => ({ ...spec, volumes: [{ hostPath: { path: "/" }, name: "tmp" }] }),
      },
    });
    new ScheduledJob("nightly", {
      ...job,
      overrides: { cronJobSpec: (spec) => ({ ...spec, concurrencyPolicy: "" }) },
    });
    await settled();
    assert.deepEqual(
      said(recorder, "staging", all).map((line) => line.split(", got ")[0]),
      [
        'CronJob "nightly": spec.concurrencyPolicy must be Forbid, Replace or Allow',
        'Deployment "services-orders": spec.template.spec.containers[0].image must be repository@sha256:<64 hex digits>',
        'Deployment "services-orders": spec.template.spec.containers[0].image must come from docker.io/registry/services-orders',
        'Deployment "services-orders": spec.template.spec.volumes[0].hostPath must not be set',
      ],
    );
  });
});
