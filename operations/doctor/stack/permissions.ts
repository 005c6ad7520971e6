import { environments } from "../../../environments";
import { type Finding, notNeeded, ok, unanswered, wrong } from "../finding";
import { namespaceOf } from "./cluster";
import { type StackCheck, askAdministrator } from "./patient";

/** A permission in the cluster, in the terms of RBAC. */
export interface Permission {
  readonly group: string;
  /** Resource, with the subresource after a slash, such as `pods/log`. */
  readonly resource: string;
  readonly verb: string;
}

const of = (group: string, resources: readonly string[], verbs: readonly string[]) =>
  resources.flatMap((resource) => verbs.map((verb): Permission => ({ group, resource, verb })));

/** Returns the permissions with these verbs for the kinds of objects that a deploy creates. */
const workloads = (verbs: readonly string[]): readonly Permission[] => [
  ...of("", ["configmaps", "podtemplates", "serviceaccounts", "services"], verbs),
  ...of("apps", ["deployments"], verbs),
  ...of("autoscaling", ["horizontalpodautoscalers"], verbs),
  ...of("batch", ["cronjobs", "jobs"], verbs),
  ...of("networking.k8s.io", ["ingresses"], verbs),
  ...of("policy", ["poddisruptionbudgets"], verbs),
];

/**
 * What commands do in the namespace of a stack, with the permissions that each activity needs. A
 * person needs the permissions of the first entry even for a command that only reads.
 */
export const needs = {
  "read the stack": [...workloads(["get", "list"]), ...of("", ["pods", "events"], ["get", "list"])],
  "read logs": of("", ["pods/log"], ["get"]),
  "run jobs and commands": [
    ...of("batch", ["jobs"], ["create", "delete"]),
    ...of("", ["pods/portforward"], ["create"]),
  ],
  deploy: workloads(["create", "delete", "patch"]),
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

type Activity = keyof typeof needs;
const activities = Object.keys(needs) as readonly Activity[];

/** Returns a permission as one text, such as `create jobs.batch`. */
const textOf = ({ group, resource, verb }: Permission): string =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`}`;

/**
 * Returns what a role may do.
 *
 * @param allowed permissions that the role has, as texts
 * @param all whether the role must have all permissions, because no pipeline deploys the stack
 */
export function permissionsIn(allowed: ReadonlySet<string>, all: boolean): Finding {
  const missingOf = (activity: Activity) =>
    needs[activity].map(textOf).filter((text) => !allowed.has(text));
  const may = activities.filter((activity) => missingOf(activity).length === 0);
  const not = activities.filter((activity) => !may.includes(activity));
  if (not.length === 0) return ok(`this role may ${may.join(", ")}`);
  const without = not.map((activity) => `${activity} (${short(missingOf(activity))})`).join(", ");
  const text = `this role may ${may.length === 0 ? "" : `${may.join(", ")}, but `}not ${without}`;
  const mayNotRead = !may.includes("read the stack");
  return all || mayNotRead
    ? wrong(`${text}. Ask an administrator of the cluster for these permissions`)
    : ok(`${text}. The pipelines have these permissions`);
}

/** Returns the first two permissions, and the number of the other permissions. */
function short(missing: readonly string[]): string {
  const more = missing.length - 2;
  return missing.slice(0, 2).join(", ") + (more > 0 ? `, and ${String(more)} more` : "");
}

/** What the role of this shell may do in the namespace of the stack. */
export const permissions: StackCheck = async (patient) => [
  { check: "permissions", ...(await asked(patient)) },
];

async function asked(patient: Parameters<StackCheck>[0]): Promise<Finding> {
  const { cluster, left, settings } = patient;
  const { kubectl } = await cluster;
  const { data, perBranch } = environments[settings.environment];
  if (data === "own" && (await namespaceOf(patient)) === undefined) {
    return notNeeded("the namespace does not exist yet");
  }
  const wanted = activities.flatMap((activity) => needs[activity]);
  const input = JSON.stringify({
    apiVersion: "v1",
    items: wanted.map((one) => reviewOf(one, settings.namespace)),
    kind: "List",
  });
  // Kubernetes stores no object for a SelfSubjectAccessReview: the response has the result.
  const attributes = ["verb", "resource", "subresource", "group"]
    .map((name) => `{.spec.resourceAttributes.${name}}`)
    .join("|");
  const output = `jsonpath=${attributes}|{.status.allowed}{"\\n"}`;
  const args = ["create", "--filename", "-", "--validate=false", "--output", output];
  return kubectl(args, left(), input).then(
    (answer) => permissionsIn(allowedIn(answer), data === "own" && !perBranch),
    (error: unknown) => unanswered(error, "ask for its own permissions", askAdministrator),
  );
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
function reviewOf({ group, resource, verb }: Permission, namespace: string): object {
  const [name, subresource] = resource.split("/");
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { group, namespace, resource: name, subresource, verb } },
  };
}

/** Reads the response of kubectl: one line for each permission. */
function allowedIn(answer: string): ReadonlySet<string> {
  const lines = answer.split("\n").map((line) => line.split("|"));
  return new Set(
    lines
      .filter(([, , , , allowed]) => allowed === "true")
      .map(([verb = "", name = "", subresource = "", group = ""]) =>
        textOf({ group, resource: subresource === "" ? name : `${name}/${subresource}`, verb }),
      ),
  );
}
