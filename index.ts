import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Canary, type CanaryArgs } from "./components/web-service/canary";
import { type ClusterFacts, readCluster } from "./program/cluster";
import { ContainerImage } from "./components/image/container-image";
import { withoutAmbientKubeconfig } from "./components/conventions/ambient-kubeconfig";
import type { Database } from "./components/pods/database";
import { postgres, seedArgs, webService } from "./components/conventions/defaults";
import { duplicates } from "./components/conventions/validation";
import { type PodRequirement, peakPods } from "./components/conventions/quota";
import { eksKubeconfig } from "./program/eks";
import { readLastRelease } from "./program/last-release";
import { refuseForeign } from "./program/ownership";
import { Postgres } from "./components/postgres/postgres";
import { ReviewNamespace } from "./components/namespace/review-namespace";
import { ScheduledJob } from "./components/scheduled-job/scheduled-job";
import { StackNamespace } from "./components/namespace/stack-namespace";
import { WebService } from "./components/web-service/web-service";
import { environments } from "./environments";
import { type Job, jobs } from "./jobs";
import { type Settings, readSettings } from "./settings";

/** Where the program asks what is outside of it; tests give other answers. */
const outside = { readCluster, readLastRelease, readSettings };

/**
 * The program of every stack: settings, namespace, database, image, service, jobs; or a canary.
 * Pulumi runs the exported function; what it returns are the stack's outputs.
 */
async function program(given: Partial<typeof outside> = {}): Promise<pulumi.Inputs> {
  const { readCluster, readLastRelease, readSettings } = { ...outside, ...given };
  const asked = await readSettings();
  refuseJobNames(asked.identity.service);
  const identity = environments[asked.environment].clusterIdentity;
  const kubeconfig = asked.eksCluster && (await eksKubeconfig(asked.eksCluster, identity));

  // Before any resource: the provider would take over a namespace that is not ours.
  const cluster = await readCluster({ ...asked, kubeconfig });
  refuseForeign(asked, cluster);
  const settings = await withKeptRelease(asked, readLastRelease);

  const where = {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(settings.context === undefined ? {} : { context: settings.context }),
  };
  const provider = withoutAmbientKubeconfig(() => new k8s.Provider("kubernetes", where));
  const opts = { providers: [provider] };
  const made =
    settings.environment === "canary"
      ? canaryStack(settings, cluster, opts)
      : environmentStack(settings, opts);

  return {
    branch: settings.release.branch,
    clusterUid: cluster.clusterUid,
    commit: settings.release.commit,
    ...(settings.releaseReason === undefined ? {} : { releaseReason: settings.releaseReason }),
    replicas: settings.replicas,
    ...made,
  };
}

/** An environment or a review stack: all that the service is made of. */
function environmentStack(settings: Settings, opts: pulumi.ComponentResourceOptions) {
  const namespace = namespaceOf(settings, opts);
  const database = databaseOf(settings, namespace, opts);
  const imageRef = imageOf(settings);

  const service = new WebService(
    settings.identity.service,
    {
      ...serviceArgs(settings, imageRef, namespace, database),
      ...(settings.environment === "prod" ? { protect: true } : {}),
      ...(settings.environment === "review" ? { seedArgs } : {}),
    },
    opts,
  );

  for (const { name, suspendedIn, ...job } of jobs) {
    new ScheduledJob(
      name,
      {
        appEndpoint: service.url,
        database,
        identity: settings.identity,
        imageRef,
        namespace,
        release: settings.release,
        requests: settings.requests,
        // A job with a role of its own has a ServiceAccount of its own.
        serviceAccountName:
          job.iamRoleArn === undefined ? service.nodes.serviceAccount.metadata.name : undefined,
        suspend: isSuspended({ suspendedIn }, settings),
        ...job,
      },
      opts,
    );
  }
  return { imageRef: onceReady(imageRef, service.nodes.deployment), namespace, url: service.url };
}

/**
 * The image, known when its pods are ready. A stack's outputs are written when all of them are known,
 * so that after an update that failed they still name the last release that did not.
 */
function onceReady(imageRef: pulumi.Input<string>, { urn }: k8s.apps.v1.Deployment) {
  return pulumi.all([imageRef, urn]).apply(([known]) => known);
}

/** A few pods of a branch in production's namespace, behind production's Service. */
function canaryStack(
  settings: Settings,
  cluster: ClusterFacts,
  opts: pulumi.ComponentResourceOptions,
) {
  const { identity, imageRef, namespace } = settings;
  if (cluster.namespace === undefined || imageRef === undefined) {
    throw new pulumi.RunError(
      imageRef === undefined
        ? `Stack "${settings.stack}" runs no image yet: start it by "npm run canary -- start BRANCH".`
        : `Namespace "${namespace}" does not exist: a canary needs production to stand beside.`,
    );
  }
  const { nodes } = new Canary(
    `${identity.service}-canary`,
    {
      ...serviceArgs(settings, imageRef, namespace, databaseOf(settings, namespace, opts)),
      serviceAccountName: identity.service,
    },
    opts,
  );
  return { imageRef: onceReady(imageRef, nodes.deployment), namespace };
}

/** What production's service and its canary have in common. */
function serviceArgs(
  settings: Settings,
  imageRef: pulumi.Input<string>,
  namespace: pulumi.Input<string>,
  database: Database,
): Omit<CanaryArgs, "serviceAccountName"> {
  const { ingressGroupName, ingressPreset, ingressScheme } = settings;
  const preset =
    ingressPreset === undefined
      ? {}
      : {
          ...(ingressGroupName === undefined ? {} : { ingressGroupName }),
          ingressPreset,
          ingressScheme,
        };
  return {
    ...preset,
    database,
    host: settings.host,
    identity: settings.identity,
    imageRef,
    ingressClassName: settings.ingressClassName,
    namespace,
    publicPort: settings.publicPort,
    release: settings.release,
    replicas: settings.replicas,
    requests: settings.requests,
    tls: settings.tls,
  };
}

const ownsData = ({ environment }: Settings) => environment === "local" || environment === "review";

/**
 * Refuses jobs that would meet in mid-update: two of one name, and one whose ServiceAccount would be
 * the service's or that of every pod without one.
 */
function refuseJobNames(service: string): void {
  const names = jobs.map(({ name }) => name);
  const faults = [
    ...duplicates(names).map((name) => `"${name}" must be the name of one job`),
    ...names
      .filter((name) => [service, "default"].includes(name))
      .map((name) => `"${name}" must not be the name of a job, a ServiceAccount has it`),
  ];
  if (faults.length === 0) return;
  throw new pulumi.RunError(
    faults.map((fault) => `jobs.ts: ${fault}; choose another name.`).join("\n"),
  );
}

/** Whether a job's runs are held back: in stacks whose data nobody needs, unless its entry says otherwise. */
function isSuspended(
  { suspendedIn = ["local", "review"] }: { readonly suspendedIn?: Job["suspendedIn"] | undefined },
  { environment }: Settings,
): boolean {
  return suspendedIn.includes(environment);
}

/** The stack's namespace: with guardrails where the code of any branch may run. */
function namespaceOf(
  settings: Settings,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Output<string> {
  const { identity, ingressPreset, environment, namespace } = settings;
  const common = { identity, namespace, ...(ingressPreset === undefined ? {} : { ingressPreset }) };
  if (!ownsData(settings)) {
    // The platform has made it, and Secrets are in it that no stack brings back.
    const args = { ...common, retain: true, ...(environment === "prod" ? { protect: true } : {}) };
    return new StackNamespace("namespace", args, opts).namespace;
  }
  const { datadogAgentTo, egressTo, ingressFrom, quota } = settings;
  const guardrails = {
    datadogAgentTo,
    requirements: demandsOf(settings),
    egressTo,
    ingressFrom,
    quota,
  };
  // CI is no administrator: each branch has rights in its own namespace only.
  const owner = environment === "review" ? { branch: settings.release.branch } : {};
  const args = { ...common, ...guardrails, ...owner };
  return new ReviewNamespace("namespace", args, opts).namespace;
}

/** Every pod that may be there at once: a rollout's, the database's, and those of the jobs. */
function demandsOf(settings: Settings): readonly PodRequirement[] {
  const { identity, replicas, requests } = settings;
  const running = jobs.filter((job) => !isSuspended(job, settings));
  return [
    { name: identity.service, pods: peakPods(replicas, webService.maxSurge), requests },
    { name: "postgres", pods: 1, requests: postgres.requests },
    ...running.map((job) => ({
      name: job.name,
      pods: job.parallelism ?? 1,
      requests: job.requests ?? requests,
    })),
    ...(running.length === jobs.length ? [] : [{ name: "job run by hand", pods: 1, requests }]),
  ];
}

/** A database of the stack's own, or the one it is told. */
function databaseOf(
  settings: Settings,
  namespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): Database {
  const { databaseHost = "", databaseImageRef, databaseName, databasePort, identity } = settings;
  if (ownsData(settings)) {
    return new Postgres("postgres", { identity, imageRef: databaseImageRef, namespace }, opts)
      .database;
  }
  return {
    host: databaseHost,
    name: databaseName,
    port: databasePort,
    secretName: settings.databaseSecretName,
  };
}

/** The digest that the stack is told to run, or the image of the code that is here. */
function imageOf(settings: Settings): pulumi.Input<string> {
  const { baseImageRef, builder, imageRef, imageRepository = "", platforms } = settings;
  if (imageRef !== undefined) return imageRef;
  const args = { baseImageRef, builder, platforms, repository: imageRepository };
  return new ContainerImage("image", args).ref;
}

/** Production and its canary run what was chosen for them, not what is checked out. */
async function withKeptRelease(
  settings: Settings,
  readLast: typeof readLastRelease,
): Promise<Settings> {
  const { imageRef, environment, stack } = settings;
  if (imageRef !== undefined || (environment !== "prod" && environment !== "canary"))
    return settings;
  const last = await readLast(stack);
  if (last === undefined) {
    const todo = environment === "prod" ? "npm run promote" : "npm run canary -- start BRANCH";
    throw new pulumi.RunError(
      `Stack "${stack}" runs no image yet: choose one by "${todo}", or set services-orders:imageRef.`,
    );
  }
  const { branch, commit, reason, replicas } = last;
  return {
    ...settings,
    imageRef: last.imageRef,
    release: { branch, commit },
    releaseReason: settings.releaseReason ?? reason,
    ...(environment === "canary" ? { replicas } : {}),
  };
}

export = program;
