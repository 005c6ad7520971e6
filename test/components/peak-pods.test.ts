import assert from "node:assert/strict";
import { Postgres } from "../../components/postgres/postgres";
import { CommandTemplate } from "../../components/scheduled-job/command-template";
import { ScheduledJob } from "../../components/scheduled-job/scheduled-job";
import { WebService } from "../../components/web-service/web-service";

const requests = { cpu: "1", memory: "2Gi" };

describe("the pods that a component needs at most", () => {
  it("follow a service's replicas and its maxSurge", () => {
    assert.equal(WebService.peakPods("web", { replicas: 4 }).pods, 6);
    assert.equal(WebService.peakPods("web", { maxSurge: "100%", replicas: 4 }).pods, 8);
    assert.equal(WebService.peakPods("web", { maxSurge: 0, replicas: 4 }).pods, 4);
  });

  it("follow the most replicas that an autoscaler may ask for", () => {
    const autoscaling = { maxReplicas: 8, minReplicas: 2 };
    assert.equal(WebService.peakPods("web", { autoscaling }).pods, 12);
  });

  it("are a job's parallel pods, and one of the database", () => {
    const job = ScheduledJob.peakPods("export", { parallelism: 3, requests });
    assert.deepEqual(job, { name: "export", pods: 3, requests });
    assert.equal(ScheduledJob.peakPods("export", {}).pods, 1);
    assert.equal(Postgres.peakPods("postgres").pods, 1);
    assert.deepEqual(CommandTemplate.peakPods("command", {}), {
      name: "command",
      pods: 1,
      requests: { cpu: "270m", memory: "608Mi" },
    });
  });
});
