import { ingress } from "../../components/conventions/defaults";
import { list } from "../clients/kubectl";
import { type Check, type Finding, differs, ok, unanswered } from "./finding";

/** The checks of what a cluster must have besides network policies: docs/bootstrap.md. */

/** Metadata of the objects that the checks read. */
export interface Named {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly name: string;
  };
}

/** A configuration of admission webhooks. */
export interface Webhooks extends Named {
  readonly webhooks?: readonly { readonly name: string }[];
}

const isDefault = (kind: string) => (object: Named) =>
  object.metadata.annotations?.[`${kind}.kubernetes.io/is-default-class`] === "true";

/**
 * Returns whether the cluster has the IngressClass of the stacks.
 *
 * @param wanted name of the IngressClass. Undefined if the stacks use the cluster's default
 */
export function ingressClassIn(classes: readonly Named[], wanted: string | undefined): Finding {
  const there = classes.map(({ metadata }) => metadata.name);
  const has = there.length === 0 ? "no IngressClass" : there.join(", ");
  if (wanted !== undefined) {
    return there.includes(wanted)
      ? ok(`IngressClass ${wanted}`)
      : differs(
          `the cluster has ${has}, not ${wanted}. Install the ingress controller of this class` +
            (wanted === ingress.albClassName ? ", the AWS Load Balancer Controller" : ""),
        );
  }
  const found = classes.find(isDefault("ingressclass"));
  return found === undefined
    ? differs(
        `no IngressClass is the default, and the setting ingressClassName is not set (the cluster has ${has}). Set one of them`,
      )
    : ok(`default IngressClass ${found.metadata.name}`);
}

/** Returns whether a StorageClass is the default. The database of a review stack needs one. */
export function storageClassIn(classes: readonly Named[]): Finding {
  const defaults = classes.filter(isDefault("storageclass")).map(({ metadata }) => metadata.name);
  return defaults.length === 0
    ? differs(
        "no StorageClass is the default, so the database of a review stack gets no volume. Annotate one with storageclass.kubernetes.io/is-default-class=true",
      )
    : ok(`default StorageClass ${defaults.join(", ")}`);
}

/**
 * Name of the webhook of the AWS Load Balancer Controller that adds readiness gates to pods.
 *
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
 */
const gateWebhook = "mpod.elbv2.k8s.aws";

/** Returns whether new pods get the readiness gates of the load balancer. */
export function readinessGatesIn(configurations: readonly Webhooks[]): Finding {
  const found = configurations.some(({ webhooks = [] }) =>
    webhooks.some(({ name }) => name === gateWebhook),
  );
  return found
    ? ok(`webhook ${gateWebhook}; the program labels the namespaces of stacks`)
    : differs(
        `no webhook ${gateWebhook}, so a rollout ends pods before the load balancer knows the new ones. Install the AWS Load Balancer Controller with its webhooks`,
      );
}

export const ingressClass: Check = async ({ cluster, left, settings }) => {
  const wanted =
    settings.ingressClassName ??
    (settings.ingressPreset === "eks-alb" ? ingress.albClassName : undefined);
  const found = await list<Named>(cluster, "ingressclasses", [], left()).then(
    (classes) => ingressClassIn(classes, wanted),
    (error: unknown) => unanswered(error, "list IngressClasses"),
  );
  return [{ check: "ingress class", ...found }];
};

export const storageClass: Check = async ({ cluster, left }) => {
  const found = await list<Named>(cluster, "storageclasses", [], left()).then(
    storageClassIn,
    (error: unknown) => unanswered(error, "list StorageClasses"),
  );
  return [{ check: "storage class", ...found }];
};

export const metricsApi: Check = async ({ cluster: { kubectl }, left }) => {
  const found = await kubectl(["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"], left()).then(
    () => ok("metrics.k8s.io answers"),
    (error: unknown) => {
      const finding = unanswered(error, "read the metrics of nodes");
      return /NotFound|could not find|ServiceUnavailable|unable to handle/.test(String(error))
        ? differs(
            "metrics.k8s.io does not answer, so services do not scale by load. Install metrics-server",
          )
        : finding;
    },
  );
  return [{ check: "metrics API", ...found }];
};

export const readinessGates: Check = async ({ cluster, left, settings }) => {
  const found =
    settings.ingressPreset === "eks-alb"
      ? await list<Webhooks>(cluster, "mutatingwebhookconfigurations", [], left()).then(
          readinessGatesIn,
          (error: unknown) => unanswered(error, "list MutatingWebhookConfigurations"),
        )
      : ok("not needed: the setting ingressPreset is not eks-alb");
  return [{ check: "readiness gates", ...found }];
};
