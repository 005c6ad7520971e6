import type * as pulumi from "@pulumi/pulumi";
import { seedArgs } from "../components/conventions/defaults";
import { ContainerImage } from "../components/image/container-image";
import { Postgres } from "../components/postgres/postgres";
import { CommandTemplate } from "../components/scheduled-job/command-template";
import { ScheduledJob } from "../components/scheduled-job/scheduled-job";
import { WebService, type WebServiceOptions } from "../components/web-service/web-service";
import { environments } from "../environments";
import type { Settings } from "../settings";
import { assertConnections, databaseOf } from "./database";
import { jobArgs } from "./job-args";
import { createNamespace } from "./namespace";
import { longMigrationOf } from "./long-migration";
import { type JobReader, migrated } from "./rollout/migration";
import { type Rollouts, rolledOut } from "./rollout/rollout";
import { type ArgsFromSettings, webServiceArgs } from "./web-service-args";

/**
 * Creates the resources of a stack that is not a canary: the namespace, the service and the jobs.
 * In some environments, the function creates a database and builds an image, too.
 */
export async function createEnvironment(
  settings: Settings,
  rollouts: JobReader & Rollouts,
  opts: pulumi.ComponentResourceOptions,
) {
  const { environment, identity } = settings;
  const { protect, seeds } = environments[environment];
  const longMigration = await longMigrationOf(settings, rollouts);
  const web: ArgsFromSettings = {
    ...webServiceArgs(settings),
    ...(longMigration === undefined ? {} : { longMigration }),
    ...(protect ? { protect } : {}),
    ...(seeds ? { seedArgs } : {}),
  };
  const jobs = jobArgs(settings);

  const servicePods = WebService.peakPods(identity.service, web);
  const jobPods = [
    ...jobs.filter(({ suspend }) => !suspend).map((job) => ScheduledJob.peakPods(job.name, job)),
    // The list includes the pod of a command that a person starts (`npm run run`). This calculation
    // assumes that people start only one command or one suspended job at a time, and that the pod
    // of a suspended job does not request more resources than the pod of a command.
    CommandTemplate.peakPods("command run by hand", settings),
  ];
  assertConnections(settings, web, { jobs: jobPods, service: servicePods });
  const demands = [servicePods, Postgres.peakPods("postgres"), ...jobPods];
  const { inNamespace, namespace } = createNamespace(settings, demands, opts);
  const database = databaseOf(settings, namespace, inNamespace);
  const imageRef = imageOf(settings);
  const common = { database, imageRef, namespace };
  const waiting: WebServiceOptions = {
    ...inNamespace,
    waitForMigration: migrated(rollouts),
    waitForRollout: rolledOut(rollouts),
  };
  const service = new WebService(identity.service, { ...web, ...common }, waiting);

  const { serviceAccount } = service.nodes;
  // The jobs must run the same release as the service. So the jobs depend on the rollout: if the
  // rollout or the migration fails, the jobs do not change. The jobs do not depend on the Ingress,
  // because the creation of a load balancer may take minutes.
  const { rollout } = service;
  const afterRollout = { ...inNamespace, dependsOn: rollout };
  const { release, requests } = settings;
  const serviceAccountName = serviceAccount.metadata.name;
  const scheduled = jobs.map(({ name, ...job }) => {
    // For a job with an IAM role, the component ScheduledJob creates a separate ServiceAccount.
    const account = job.iamRoleArn === undefined ? { serviceAccountName } : {};
    const args = { appEndpoint: service.url, ...account, ...common, ...job };
    return new ScheduledJob(name, args, afterRollout);
  });
  const scheduledJobs = jobs.map(({ name }) => name);
  const template = { appEndpoint: service.url, identity, release, requests, ...common };
  new CommandTemplate(
    identity.service,
    { ...template, scheduledJobs, serviceAccountName },
    // The list of scheduled jobs must never contain a CronJob that does not exist yet.
    { ...inNamespace, dependsOn: [rollout, ...scheduled] },
  );
  return { imageRef, namespace, rollout, url: service.url };
}

/**
 * Returns the image in the settings. If the settings contain no image, Pulumi builds an image from
 * the working directory.
 */
function imageOf(settings: Settings): pulumi.Input<string> {
  const { baseImageRef, builder, imageRef, imageRepository = "", platforms } = settings;
  if (imageRef !== undefined) return imageRef;
  const args = { baseImageRef, builder, platforms, repository: imageRepository };
  return new ContainerImage("image", args).ref;
}
