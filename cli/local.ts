import { assertNamespaceNotShared } from "../operations/deploy/foreign-objects";
import { update } from "../operations/deploy/deploy";
import { resolveTarget } from "../operations/deploy/target";
import { type Workspace, ask, withEnv } from "../operations/pulumi/run-pulumi";
import { destroy } from "../operations/removal/destroy";
import { deleteNamespace } from "../operations/removal/namespace";
import { readNamespace } from "../operations/stacks/review-namespace";
import { settingsOf } from "../operations/pulumi/settings";
import { ownNamespace } from "../operations/pulumi/recovery/unrecorded";
import { foreignLabel, labels } from "../components/conventions/labels";
import { forcing } from "../operations/pulumi/field-managers";
import { sandboxRecord } from "../operations/doctor/record";
import { recoverState } from "../operations/pulumi/recovery/recover-state";
import { driftOf } from "../operations/drift/drift";
import { notesOf } from "../operations/drift/read";
import { notifierNote } from "../operations/notify/jobs/last-run";
import { takeBack } from "../operations/drift/take-back";
import { showPreview } from "../operations/deploy/show-preview";
import { outputsOf } from "../operations/pulumi/stacks";
import { stackNames } from "../operations/pulumi/connect";
import { type Cluster, kubectlFor } from "../operations/clients/kubectl";
import { buildService, checkMaven } from "../tools/build";
import { project } from "../lib/project";
import { Steps } from "../lib/progress";
import { duration } from "../lib/time";
import { localEnvironment } from "../sandbox/own-cluster/environment";
import { ownCluster } from "../sandbox/own-cluster/choice";
import { options } from "../sandbox/layout";
import { down as sandboxDown, isRunning, stepsOfUp, up as sandboxUp } from "../sandbox/sandbox";
import { assertSameCluster, chooseCluster, howToReach, type Where } from "./own-cluster";

const STACK = "local";

/**
 * Returns Pulumi's workspace for the sandbox, or for the developer's own cluster. The environment
 * variables of the workspace override the variables of the shell.
 */
const workspace = (): Workspace => ({ cwd: project, env: localEnvironment() });

const cluster = (): Pick<Cluster, "kubectl"> => ({ kubectl: kubectlFor([], localEnvironment()) });

/**
 * `npm run up`: starts the sandbox, or checks the developer's own cluster. Then builds the service
 * and deploys stack `local`.
 */
export async function up(where: Where = {}): Promise<void> {
  const started = Date.now();
  const own = await chooseCluster(where);
  const chosen = options();
  if (own === undefined) await checkMaven();
  const steps = new Steps((own === undefined ? stepsOfUp(chosen) : 0) + 3);
  const startTook = own === undefined ? await sandboxUp(chosen, steps, sandboxRecord()) : undefined;
  await steps.step("Service: Java code to jars (Maven)", async (report) => {
    if ((await buildService(report)) === "up to date") {
      console.log("      the jars are up to date");
    }
  });
  const what = `What will change in stack ${STACK} (npm run preview)`;
  const target = await steps.step(what, async () => {
    await ask(["stack", "select", STACK, "--create"], workspace());
    const resolved = await resolveTarget(STACK, workspace());
    // In the developer's own cluster, the objects of another developer may have the same labels.
    // The cluster's UID in the state proves that the objects belong to this stack.
    const isOurs = own === undefined || resolved.last?.outputs.clusterUid !== undefined;
    const namespace = isOurs ? ownNamespace(resolved.settings) : undefined;
    const seen = await recoverState(STACK, resolved.cluster, workspace(), namespace);
    const drift = driftOf(seen);
    await assertNamespaceNotShared(resolved);
    const notes = notesOf(drift);
    await showPreview(STACK, withEnv(workspace(), forcing), { cluster: resolved.cluster, notes });
    await takeBack(drift, resolved.cluster);
    return resolved;
  });
  await steps.step(`Changing stack ${STACK} (pulumi up)`, async () => update(target));
  const outputs = await outputsOf(STACK, workspace());
  const { namespace = "" } = outputs;
  const note = await notifierNote(target.settings, target.cluster, workspace());
  const { lines, url } =
    own === undefined ? { lines: [], url: outputs.url ?? "" } : await howToReach(own, outputs);
  const took = [
    ...(startTook === undefined ? [] : [`sandbox start ${duration(startTook)}`]),
    `everything ${duration(Date.now() - started)}`,
  ];
  console.log(`
services-orders runs: ${url}
  ${[`(${took.join(", ")})`, ...(note === undefined ? [] : [note]), ...lines].join("\n  ")}

Order something:
  curl -s -H 'Content-Type: application/json' -d '{"customer":"ada","currency":"EUR","items":[{"sku":"book","quantity":1,"unitPrice":1250}]}' ${url}orders

Try next:
  1. Change some Java code in service/src/main and run "npm run up" again: the preview first shows what will change.
  2. Add an entry to jobs.ts: the entry becomes a CronJob.
  3. eval "$(npm run --silent sandbox -- env)", then: kubectl -n ${namespace} get pods
`);
}

/**
 * Deletes the namespace of stack `local` if it still exists. If someone kills the first update, the
 * state may not contain the namespace. In the developer's own cluster, the namespace may belong to
 * another developer. So in such a cluster, this function only prints that the namespace exists.
 */
async function removeNamespace(isSandbox: boolean): Promise<void> {
  const { identity, namespace } = await settingsOf(STACK, workspace());
  const object = await readNamespace(namespace, cluster());
  const wanted = labels(identity, "namespace");
  if (!object || foreignLabel(object.metadata.labels ?? {}, wanted) !== undefined) return;
  if (isSandbox) return deleteNamespace(namespace, cluster());
  console.log(
    `      namespace ${namespace} still exists, but the state does not contain it. If it is yours: kubectl delete namespace ${namespace}`,
  );
}

/**
 * `npm run down`: destroys stack `local`. If the stack is in the sandbox, the function then stops
 * the sandbox. If this sandbox is not running, the function does not destroy the stack.
 */
export async function down(): Promise<void> {
  const own = ownCluster();
  const steps = new Steps(own === undefined ? 2 : 1);
  await steps.step(`Stack ${STACK} (pulumi destroy)`, async () => {
    if (own !== undefined) {
      console.log(`      in the cluster of context "${own.context}" at ${own.server}`);
      await assertSameCluster(own);
    } else if (!isRunning()) {
      console.log(
        "      nothing is destroyed, because the sandbox is not running; the stack stays for the next start",
      );
      return;
    }
    if (!(await stackNames(workspace())).includes(STACK)) {
      console.log(`      there is no stack ${STACK}`);
      return;
    }
    await recoverState(STACK, cluster(), workspace());
    await destroy(STACK, cluster(), workspace());
    await removeNamespace(own === undefined);
  });
  if (own === undefined) await steps.step("Sandbox", sandboxDown);
}
