import { instanceSelector, labelQuery, trackLabel } from "../../components/conventions/labels";
import { isRolloutFailure } from "../../components/conventions/rollout/failure";
import type { ReplicaSet } from "../../components/conventions/rollout/newest";
import { withoutSecrets } from "../../components/conventions/secrets/masked";
import { environments } from "../../environments";
import type { Settings } from "../../settings";
import { type Cluster, type Deployment, type Pod, list } from "../clients/kubectl";
import { type Event, type Findings, diagnose } from "./diagnosis";
import { reasonOf } from "../../lib/command";
import { reports } from "../../lib/reports";
import { lastLines } from "./log-lines";

/**
 * Number of lines of a container's log that {@link reportFailure} reads. The report shows fewer
 * lines.
 */
const linesRead = 200;
const patience = 10_000;

/** A failed update: the errors of Pulumi's engine, and the time when the update began. */
interface Failed {
  readonly causes: readonly string[];
  readonly since: Date;
}

/**
 * Prints why a deploy failed. After a failed rollout, Pulumi says only that pods are missing. This
 * function shows what Kubernetes refused, the state of the pods, and the end of the containers'
 * logs. If this function cannot read a list, the report contains this error. This function never
 * throws, because the caller throws the error of the deploy.
 */
export async function reportFailure(
  cluster: Cluster,
  { environment, identity, namespace }: Pick<Settings, "environment" | "identity" | "namespace">,
  { causes: errors, since }: Failed,
): Promise<void> {
  const within = ["--namespace", namespace];
  // The labels in `instanceSelector` are the same on the pods of production and of a canary. Only
  // the label for the track distinguishes these pods.
  const other = environments[environment].canaryOf === undefined ? "canary" : "stable";
  const labels = `${labelQuery(instanceSelector(identity))},${trackLabel}!=${other}`;
  const ours = [...within, "--selector", labels];
  const unread: string[] = [];
  const read = async <Item>(kind: string, which: readonly string[]): Promise<readonly Item[]> =>
    list<Item>(cluster, kind, which, patience).catch((error: unknown) => {
      unread.push(`could not read ${kind}: ${withoutSecrets(reasonOf(error))}`);
      return [];
    });
  const [deployments, events, pods, replicaSets] = await Promise.all([
    read<Deployment>("deployments", ours),
    read<Event>("events", within),
    read<Pod>("pods", ours),
    read<ReplicaSet>("replicasets", ours),
  ]);
  const findings = { deployments, events, pods, replicaSets };
  // If the update ended before the rollout, for example because the build of the image failed,
  // older pods do not explain the failure. These pods may have failed since an earlier release.
  const own = errors.some(isRolloutFailure) ? findings : createdSince(findings, since);
  const found = diagnose(own, since);
  const causes = found.causes.map(withoutSecrets);
  console.error(`\nWhat Kubernetes says in namespace ${namespace}:`);
  for (const cause of causes) {
    console.error(`  - ${cause}`);
    reports.addCause(cause);
  }
  for (const what of unread) console.error(`  - ${what}`);
  if (causes.length + unread.length === 0)
    console.error("  nothing: see Pulumi's output above for the cause");
  for (const { container, pod, previous } of found.suspects) {
    const args = ["logs", pod, "--container", container, `--tail=${String(linesRead)}`, ...within];
    const run = previous ? ["--previous"] : [];
    const log = await cluster.kubectl([...args, ...run], patience).catch(() => "");
    // Masks secrets before `lastLines` cuts long lines: the mask recognizes only complete secrets.
    const lines = lastLines(withoutSecrets(log));
    if (lines.length === 0) continue;
    const title = `Last lines of ${pod}, ${container}${previous ? " (previous run)" : ""}:`;
    const detail = [title, ...lines.map((line) => `  ${line}`)].join("\n");
    console.error(`\n${detail}`);
    reports.addDetail(detail);
    const whole = ["kubectl", "logs", pod, "--container", container, ...within, ...run];
    console.error(`To see all of it: ${whole.join(" ")}`);
  }
}

/**
 * Returns the findings without Deployments, without the pods that are older than the update, and
 * without the events of these pods.
 */
function createdSince({ events, pods, ...others }: Findings, since: Date): Findings {
  const isOld = ({ metadata }: Findings["pods"][number]): boolean =>
    Date.parse(metadata.creationTimestamp ?? "") < since.getTime();
  const old = new Set(pods.filter(isOld).map(({ metadata }) => metadata.name));
  return {
    ...others,
    deployments: [],
    events: events.filter(({ involvedObject: { name } }) => !old.has(name)),
    pods: pods.filter((pod) => !isOld(pod)),
  };
}
