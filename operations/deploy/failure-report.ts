import { instanceSelector, type Identity } from "../../components/conventions/labels";
import { type Deployment, type Event, type Pod, diagnose } from "./diagnosis";
import type { Cluster } from "../pulumi/reach";
import { reports } from "../../lib/reports";

/** Lines of a container's log that are shown. */
const logLines = 20;
/** Characters of a line that are shown: a stack trace in one line would fill the screen. */
const lineLength = 300;
const patience = 10_000;

/**
 * Reports why a deploy failed. Pulumi only shows that pods are missing. This shows what Kubernetes
 * refused, the state of the pods, and the end of their logs. It never throws: the first error
 * counts.
 */
export async function explain(
  { kubectl }: Cluster,
  { identity, namespace }: { readonly identity: Identity; readonly namespace: string },
  since: Date,
): Promise<void> {
  const list = async <Item>(kind: string, ...which: string[]): Promise<readonly Item[]> => {
    const args = ["get", kind, "--namespace", namespace, ...which, "--output", "json"];
    const answer = await kubectl(args, patience).catch(() => '{"items":[]}');
    return (JSON.parse(answer) as { items: Item[] }).items;
  };
  const selector = Object.entries(instanceSelector(identity)).map((pair) => pair.join("="));
  const ours = ["--selector", selector.join(",")];
  const [deployments, events, pods] = await Promise.all([
    list<Deployment>("deployments", ...ours),
    list<Event>("events"),
    list<Pod>("pods", ...ours),
  ]);
  const { causes, suspects } = diagnose({ deployments, events, pods }, since);
  console.error(`\nWhat Kubernetes says in namespace ${namespace}:`);
  for (const cause of causes) {
    console.error(`  - ${cause}`);
    reports.addCause(cause);
  }
  if (causes.length === 0) console.error("  nothing: see Pulumi's output above for the cause");
  for (const { container, pod, previous } of suspects) {
    const args = ["logs", pod, "--container", container, `--tail=${String(logLines)}`];
    const run = previous ? ["--previous"] : [];
    const log = await kubectl([...args, "--namespace", namespace, ...run], patience).catch(
      () => "",
    );
    if (log.trim() === "") continue;
    console.error(`\nLast lines of ${pod}, ${container}${previous ? " (previous run)" : ""}:`);
    for (const line of log.trimEnd().split("\n")) console.error(`  ${line.slice(0, lineLength)}`);
  }
}
