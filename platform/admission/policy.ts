import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { platformLabels } from "../labels";

/**
 * One rule of a policy: an expression in CEL that must be true, and the message if the expression
 * is false.
 */
interface Validation {
  readonly expression: string;
  readonly message: string;
}

/** Objects and operations that a policy checks. */
interface Subject {
  readonly apiGroup: string;
  readonly operations: readonly ("CREATE" | "DELETE" | "UPDATE")[];
  readonly resources: readonly string[];
}

/** The content of a policy. */
export interface Policy {
  readonly on: readonly Subject[];
  /** Conditions in CEL. The policy applies only if all conditions are true. */
  readonly only: Readonly<Record<string, string>>;
  /**
   * Labels of the namespaces that the policy applies to. If undefined, the policy applies to all
   * namespaces.
   */
  readonly inNamespaces?: Readonly<Record<string, string>>;
  /**
   * The label of the objects that the policy checks. If undefined, the policy checks all objects.
   */
  readonly labelled?: {
    readonly key: string;
    /** Values of the label. If undefined, the label may have any value. */
    readonly values?: readonly string[];
  };
  /**
   * An object that must exist in the namespace of the checked object. If this object does not
   * exist, the policy refuses every request that matches `on`, `inNamespaces` and `labelled`,
   * because Kubernetes evaluates `only` later. So set `inNamespaces`, too. Expressions use the
   * object as `params`.
   *
   * With `labels` instead of `name`, Kubernetes evaluates the policy once for each object with
   * these labels. All evaluations must succeed.
   */
  readonly requires?: { readonly apiVersion: string; readonly kind: string } & (
    { readonly name: string } | { readonly labels: Readonly<Record<string, string>> }
  );
  readonly validations: readonly Validation[];
  /**
   * Expressions with a name. Other expressions use the value as `variables.<name>`. A variable may
   * use earlier variables in the list.
   */
  readonly variables?: readonly { readonly expression: string; readonly name: string }[];
}

export interface AdmissionPolicyArgs extends Policy {
  /** Name of the policy, and of its binding, in the cluster. */
  readonly policyName: string;
}

/** A ValidatingAdmissionPolicy, and the binding that enforces the policy in the whole cluster. */
export class AdmissionPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: AdmissionPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:AdmissionPolicy", name, args, opts);
    const { inNamespaces, labelled, on, only, policyName, requires, validations } = args;
    const { variables = [] } = args;
    const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
      name,
      {
        metadata: { labels: platformLabels, name: policyName },
        spec: {
          // If Kubernetes cannot evaluate the policy, Kubernetes refuses the request. An update
          // that fails is better than a request without a check.
          failurePolicy: "Fail",
          matchConditions: Object.entries(only).map(([name, expression]) => ({ expression, name })),
          matchConstraints: {
            matchPolicy: "Equivalent",
            ...(inNamespaces === undefined
              ? {}
              : { namespaceSelector: { matchLabels: { ...inNamespaces } } }),
            ...(labelled === undefined
              ? {}
              : { objectSelector: { matchExpressions: [expressionOf(labelled)] } }),
            resourceRules: on.map(({ apiGroup, operations, resources }) => ({
              apiGroups: [apiGroup],
              apiVersions: ["*"],
              operations: [...operations],
              resources: [...resources],
            })),
          },
          ...(requires === undefined
            ? {}
            : { paramKind: { apiVersion: requires.apiVersion, kind: requires.kind } }),
          validations: validations.map((validation) => ({ ...validation, reason: "Forbidden" })),
          ...(variables.length === 0 ? {} : { variables: [...variables] }),
        },
      },
      { parent: this },
    );
    new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
      name,
      {
        metadata: { labels: platformLabels, name: policyName },
        spec: {
          // Without `namespace`, Kubernetes looks for the required object in the namespace of the
          // checked object.
          ...(requires === undefined
            ? {}
            : { paramRef: { ...chosenBy(requires), parameterNotFoundAction: "Deny" } }),
          policyName: policy.metadata.name,
          validationActions: ["Deny"],
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

function expressionOf({ key, values }: NonNullable<Policy["labelled"]>) {
  return values === undefined
    ? { key, operator: "Exists" }
    : { key, operator: "In", values: [...values] };
}

function chosenBy(required: NonNullable<Policy["requires"]>) {
  return "name" in required
    ? { name: required.name }
    : { selector: { matchLabels: { ...required.labels } } };
}
