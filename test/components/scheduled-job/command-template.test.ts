import assert from "node:assert/strict";
import { commandPod } from "../../../components/conventions/one-off/command-pod";
import {
  CommandTemplate,
  type CommandTemplateArgs,
} from "../../../components/scheduled-job/command-template";
import { ScheduledJob } from "../../../components/scheduled-job/scheduled-job";
import { command, database, job } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";

const podTemplate = "kubernetes:core/v1:PodTemplate";

async function made(args: Partial<CommandTemplateArgs> = {}): Promise<Recorder> {
  const recorder = await record();
  new CommandTemplate("services-orders", { ...command, ...args });
  await settled();
  return recorder;
}

const podOf = async (args: Partial<CommandTemplateArgs> = {}): Promise<Manifest> =>
  (await made(args)).one(podTemplate).inputs.template.spec;

describe("CommandTemplate", () => {
  it("matches its golden manifest", async () => {
    const scheduledJobs = ["expire-unpaid", "export"];
    const args = { database, scheduledJobs, serviceAccountName: "services-orders" };
    matchesGolden("command-template", await made(args));
  });

  it("lists the scheduled jobs in the same order, however they are given", async () => {
    const { inputs } = (await made({ scheduledJobs: ["export", "expire-unpaid"] })).one(
      podTemplate,
    );
    assert.equal(inputs.metadata.annotations["jobs/scheduled"], "expire-unpaid,export");
  });

  it("makes one PodTemplate with its own name, as its child, and nothing else", async () => {
    const recorder = await made();
    assert.equal(recorder.resources.length, 2);
    const { inputs, parentage } = recorder.one(podTemplate);
    assert.equal(parentage, `services:k8s:CommandTemplate$${podTemplate}`);
    assert.equal(inputs.metadata.name, "services-orders");
    assert.equal(inputs.metadata.namespace, "ns");
  });

  it("has the pod of a scheduled job, and only the output in addition", async () => {
    const recorder = await record();
    new ScheduledJob(commandPod.command, { ...job, args: commandPod.args, database });
    await settled();
    const { template } = recorder.one("kubernetes:batch/v1:CronJob").inputs.spec.jobTemplate.spec;
    const { inputs } = (await made({ database })).one(podTemplate);
    const isOutput = ({ name }: Manifest): boolean =>
      [commandPod.output, commandPod.directoryVariable].includes(name);
    const without = (list: readonly Manifest[]) => list.filter((one) => !isOutput(one));
    const own: Manifest = structuredClone(inputs.template);
    own.spec.containers = without(own.spec.containers);
    own.spec.volumes = without(own.spec.volumes);
    const [container] = own.spec.containers;
    container.env = without(container.env);
    container.volumeMounts = without(container.volumeMounts);
    assert.deepEqual(own, template);
  });

  it("lets the command write its output, and the other container only read it", async () => {
    const { containers, volumes } = await podOf();
    const [, reader] = containers;
    const mounts = containers.map(({ volumeMounts }: Manifest) =>
      volumeMounts.find(({ name }: Manifest) => name === commandPod.output),
    );
    assert.deepEqual(mounts, [
      { mountPath: "/output", name: "output" },
      { mountPath: "/output", name: "output", readOnly: true },
    ]);
    assert.deepEqual(volumes.at(-1), { emptyDir: { sizeLimit: "256Mi" }, name: "output" });
    assert.equal(reader.env, undefined, "it needs no password of the database");
    assert.equal(reader.ports, undefined);
  });

  it("names every issue before it creates an object", async () => {
    const recorder = await record();
    const args = { ...command, imageRef: "orders:latest" };
    assert.throws(() => new CommandTemplate("services-orders", args), {
      message: /^CommandTemplate "services-orders": imageRef must be /,
    });
    assert.deepEqual(recorder.custom(), []);
  });
});
