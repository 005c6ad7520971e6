import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** One rule of a policy: an expression in CEL that must hold, and what is said when it does not. */
interface Validation {
  readonly expression: string;
  readonly message: string;
}

/** Objects that a policy looks at, and when. */
interface Subject {
  readonly apiGroup: string;
  readonly operations: readonly ("CREATE" | "DELETE" | "UPDATE")[];
  readonly resources: readonly string[];
}

/** What a policy says. */
export interface Policy {
  readonly on: readonly Subject[];
  /** Conditions in CEL, all of which must hold for the policy to apply. */
  readonly only: Readonly<Record<string, string>>;
  /** Labels of the namespaces that it applies to; all namespaces without it. */
  readonly inNamespaces?: Readonly<Record<string, string>>;
  /**
   * An object that must exist in the namespace of what is checked. Without it all is refused, before `only` is looked at: name
   * the namespaces by `inNamespaces` too.
   */
  readonly requires?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
  };
  readonly validations: readonly Validation[];
  /** Names for parts of expressions, used as `variables.<name>`; a later one may use an earlier one. */
  readonly variables?: readonly { readonly expression: string; readonly name: string }[];
}

export interface AdmissionPolicyArgs extends Policy {
  /** Name of the policy, and of its binding, in the cluster. */
  readonly policyName: string;
}

/** A ValidatingAdmissionPolicy, and the binding that makes it refuse in the whole cluster. */
export class AdmissionPolicy extends pulumi.ComponentResource {
  constructor(name: string, args: AdmissionPolicyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:AdmissionPolicy", name, args, opts);
    const { inNamespaces, on, only, policyName, requires, validations, variables = [] } = args;
    const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
      name,
      {
        metadata: { name: policyName },
        spec: {
          // A policy that cannot be evaluated refuses: what it guards is worth more than an update.
          failurePolicy: "Fail",
          matchConditions: Object.entries(only).map(([name, expression]) => ({ expression, name })),
          matchConstraints: {
            matchPolicy: "Equivalent",
            ...(inNamespaces === undefined
              ? {}
              : { namespaceSelector: { matchLabels: { ...inNamespaces } } }),
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
        metadata: { name: policyName },
        spec: {
          // Without a namespace here, the object is looked for in the namespace of what is checked.
          ...(requires === undefined
            ? {}
            : { paramRef: { name: requires.name, parameterNotFoundAction: "Deny" } }),
          policyName: policy.metadata.name,
          validationActions: ["Deny"],
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
