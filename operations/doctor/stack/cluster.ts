import { foreignLabel, labels } from "../../../components/conventions/labels";
import { environments } from "../../../environments";
import { reasonOf } from "../../../lib/command";
import type { Settings } from "../../../settings";
import type { NamespaceObject } from "../../stacks/review-namespace";
import type { Outputs } from "../../pulumi/stacks";
import { clusterName } from "../../status/read";
import { type Finding, ok, unanswered, wrong } from "../finding";
import { clusterIssue, recordKey } from "../record";
import { type StackCheck, type StackPatient, askAdministrator } from "./patient";

/**
 * Returns whether a cluster is the right cluster for a stack. The setting `clusterUid` contains the
 * UID of the right cluster. If this setting is not set, the right cluster is the cluster of the
 * stack's last update.
 *
 * @param uid UID of the cluster's namespace `kube-system`
 */
export function clusterIn(
  uid: string,
  settings: Pick<Settings, "clusterUid" | "context" | "eksCluster">,
  last: Pick<Outputs, "clusterUid"> | undefined,
): Finding {
  const name = clusterName(settings);
  const expected = settings.clusterUid ?? last?.clusterUid;
  if (expected === undefined) return ok(`${name} answers`);
  if (expected === uid) return ok(`${name} answers, and is the cluster of the stack`);
  return wrong(
    `${name} is the cluster ${uid}, but the stack belongs to the cluster ${expected}. ` +
      "Choose the right context of the kubeconfig, or fix the setting eksCluster",
  );
}

/** Whether the cluster answers, and whether it is the right cluster for the stack. */
export const cluster: StackCheck = async ({ cluster, outputs, settings }) => {
  const finding = await cluster.then(
    async ({ uid }) => clusterIn(uid, settings, await outputs.catch(() => undefined)),
    (error: unknown) => wrong(reasonOf(error).replace(/\.$/, "")),
  );
  return [{ check: "cluster", ...finding }];
};

/** Reads the namespace of the stack. Undefined if the namespace does not exist. */
export async function namespaceOf({
  cluster,
  left,
  settings,
}: StackPatient): Promise<NamespaceObject | undefined> {
  const { kubectl } = await cluster;
  const which = [settings.namespace, "--ignore-not-found", "--output", "json"];
  const answer = await kubectl(["get", "namespace", ...which], left());
  return answer.trim() === "" ? undefined : (JSON.parse(answer) as NamespaceObject);
}

/** Returns whether a stack can use its namespace. */
export function namespaceIn(found: NamespaceObject | undefined, settings: Settings): Finding {
  const { environment, identity, namespace } = settings;
  if (found === undefined) {
    return environments[environment].data === "own"
      ? ok(`${namespace} does not exist yet: the first deploy creates it`)
      : wrong(`${namespace} does not exist. An administrator creates it: npm run platform -- up`);
  }
  const { deletionTimestamp, labels: has = {} } = found.metadata;
  if (deletionTimestamp !== undefined) {
    return wrong(`Kubernetes is deleting ${namespace}. Wait until it is gone`);
  }
  const foreign = foreignLabel(has, labels(identity, "namespace"));
  return foreign === undefined
    ? ok(namespace)
    : wrong(
        `${namespace} does not belong to this stack: its label ${foreign} is ${JSON.stringify(has[foreign])}. ` +
          "Choose another namespace with the setting namespace",
      );
}

/** Whether the stack can use its namespace. */
export const namespace: StackCheck = async (patient) => {
  await patient.cluster;
  const finding = await namespaceOf(patient).then(
    (found) => namespaceIn(found, patient.settings),
    (error: unknown) =>
      unanswered(error, `read namespace ${patient.settings.namespace}`, askAdministrator),
  );
  return [{ check: "namespace", ...finding }];
};

/**
 * For a stack that runs unreviewed code: whether the last check by an administrator found that
 * network policies apply from a pod's first instruction.
 */
export const record: StackCheck = async ({ cluster, settings }) => {
  if (!environments[settings.environment].perBranch) return [];
  const { annotations = {} } = await cluster;
  const issue = clusterIssue(annotations[recordKey]);
  const finding =
    issue === undefined ? ok("an administrator has checked this cluster") : wrong(issue);
  return [{ check: "network policies", ...finding }];
};
