import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { readCluster } from "./components/cluster";
import { ContainerImage } from "./components/container-image";
import { refuseForeign } from "./components/ownership";
import { Postgres } from "./components/postgres";
import { ScheduledJob } from "./components/scheduled-job";
import { StackNamespace } from "./components/stack-namespace";
import { WebService } from "./components/web-service";
import { jobs } from "./jobs";
import { type Settings, readSettings } from "./settings";

/** Where the program asks what is outside of it; tests give other answers. */
const outside = { readCluster, readSettings };

/**
 * The program of every stack: settings, namespace, database, image, service, jobs.
 * Pulumi runs the exported function; what it returns are the stack's outputs.
 */
async function program({ readCluster, readSettings } = outside): Promise<pulumi.Inputs> {
  const settings = await readSettings();
  refuseUnsupported(settings);
  const { identity, release, requests } = settings;

  // Before any resource: the provider would take over a namespace that is not ours.
  const cluster = await readCluster(settings);
  refuseForeign(settings, cluster);

  // The kubeconfig stays outside the state; only a context's name goes in.
  const provider = new k8s.Provider(
    "kubernetes",
    settings.context === undefined ? {} : { context: settings.context },
  );
  const opts = { providers: [provider] };

  const { namespace } = new StackNamespace(
    "namespace",
    { identity, namespace: settings.namespace },
    opts,
  );

  const { database } = new Postgres(
    "postgres",
    { identity, imageRef: settings.databaseImageRef, namespace },
    opts,
  );

  const imageRef = imageOf(settings);

  const service = new WebService(
    identity.service,
    {
      database,
      host: settings.host,
      identity,
      imageRef,
      ingressClassName: settings.ingressClassName,
      namespace,
      publicPort: settings.publicPort,
      release,
      replicas: settings.replicas,
      requests,
      tls: settings.tls,
    },
    opts,
  );

  for (const { name, suspendedIn = ["local", "review"], ...job } of jobs) {
    new ScheduledJob(
      name,
      {
        appEndpoint: service.url,
        database,
        identity,
        imageRef,
        namespace,
        release,
        requests,
        // A job with a role of its own has a ServiceAccount of its own.
        serviceAccountName:
          job.iamRoleArn === undefined ? service.nodes.serviceAccount.metadata.name : undefined,
        suspend: suspendedIn.includes(settings.kind),
        ...job,
      },
      opts,
    );
  }

  return {
    clusterUid: cluster.clusterUid,
    commit: release.commit,
    imageRef,
    namespace,
    url: service.url,
  };
}

/** The digest that the stack is told to run, or the image of the code that is here. */
function imageOf(settings: Settings): pulumi.Input<string> {
  const { baseImageRef, builder, imageRef, imageRepository = "", platforms } = settings;
  if (imageRef !== undefined) return imageRef;
  const args = { baseImageRef, builder, platforms, repository: imageRepository };
  return new ContainerImage("image", args).ref;
}

/** Stacks of these kinds need what is not built yet: guardrails, a given database, a canary. */
function refuseUnsupported({ kind, stack }: Settings): void {
  if (kind === "local") return;
  throw new pulumi.RunError(`Stack "${stack}": stacks of kind ${kind} are not supported yet.`);
}

export = program;
