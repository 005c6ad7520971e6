import { ingress } from "../../components/conventions/defaults";
import { labels } from "../../components/conventions/labels";
import {
  removalUser,
  reviewAccess,
  reviewGroup,
  reviewHostPattern,
  reviewIngressGroup,
} from "../../components/conventions/ci-roles";
import { service } from "../../config/service";
import type { Policy } from "./policy";
import { cel } from "./cel";
import { nameOfBranch } from "./review-names";
import type { CircleCi, ReviewLimits } from "../settings";

const { annotations, namespacePrefix, ownerAnnotation } = reviewAccess;

export const inReview = {
  "in-review-namespace": `request.namespace.startsWith(${cel(namespacePrefix)})`,
};

/** Returns a CEL expression for the slug in a namespace's name: the part after the prefix. */
const slugOf = (name: string) => `${name}.substring(${String(namespacePrefix.length)})`;

/** Returns a CEL expression for the user that owns a namespace, or "" if there is no owner. */
export const ownerOf = (object: string) =>
  `${object}.metadata.?annotations[?${cel(ownerAnnotation)}].orValue("")`;

/** Returns the conditions and expressions that several policies for review jobs share. */
export function requester({ deployProjectId, projectId }: CircleCi) {
  const remover = cel(removalUser(deployProjectId !== undefined));
  return {
    byReview: { "by-a-review-job": `${cel(reviewGroup(projectId))} in request.userInfo.groups` },
    /**
     * CEL expression: whether the request comes from a job that may remove the review stack of any
     * branch.
     */
    isRemover: `request.userInfo.username == ${remover}`,
    remover,
  };
}

/**
 * Returns the policy that allows a review job to change objects only in its own branch's namespace.
 * A job that removes review stacks may change objects in all review namespaces.
 */
export function ownNamespaceOnly(circleci: CircleCi): Policy {
  const { byReview, isRemover } = requester(circleci);
  return {
    on: [{ apiGroup: "*", operations: ["CREATE", "UPDATE", "DELETE"], resources: ["*/*"] }],
    only: {
      ...byReview,
      // The policy in `namespaces` checks Namespace objects. Requests that ask about permissions
      // need no check, because such requests change nothing.
      "no-namespace-no-question": `!(request.resource.group == "" && request.resource.resource == "namespaces") && !(request.resource.group in ["authentication.k8s.io", "authorization.k8s.io"])`,
    },
    validations: [
      {
        expression: `namespaceObject != null && namespaceObject.metadata.name.startsWith(${cel(namespacePrefix)})`,
        message: `a review job may change objects only in namespaces ${namespacePrefix}*`,
      },
      {
        expression: `namespaceObject != null && (${isRemover} || ${ownerOf("namespaceObject")} == request.userInfo.username)`,
        message: "this namespace belongs to another branch's review stack",
      },
    ],
  };
}

const identity = {
  app: "",
  environment: "review",
  instance: "",
  protectedBranch: false,
  service,
};

/**
 * Labels of all namespaces of review stacks. In the namespaces of staging and production, the label
 * `protected_branch` has another value.
 */
export const reviewNamespaceLabels = {
  "app.kubernetes.io/part-of": service,
  protected_branch: String(identity.protectedBranch),
} as const;

/**
 * Labels that a namespace of a review stack may have. If the namespace had other labels, a
 * NetworkPolicy in another namespace could select the namespace, and allow connections from the
 * pods of the review stack.
 */
const namespaceLabels = [
  ...Object.keys(labels(identity, "namespace")),
  "elbv2.k8s.aws/pod-readiness-gate-inject",
  "kubernetes.io/metadata.name",
  "pod-security.kubernetes.io/audit",
  "pod-security.kubernetes.io/enforce",
  "pod-security.kubernetes.io/warn",
];

/**
 * Returns the policy for namespaces: a review job may change only its own branch's namespace. Only
 * a job that removes review stacks may change the namespace of any branch. No review job may change
 * the annotation with the owner. Each namespace must have the labels of a review stack.
 */
export function namespaces(circleci: CircleCi): Policy {
  const { byReview, isRemover } = requester(circleci);
  const label = (key: string) => `object.metadata.?labels[?${cel(key)}].orValue("")`;
  const notDeleting = `request.operation == "DELETE"`;
  const allowed = [ownerAnnotation, ...Object.values(annotations)];
  return {
    on: [{ apiGroup: "", operations: ["CREATE", "UPDATE", "DELETE"], resources: ["namespaces"] }],
    only: byReview,
    validations: [
      {
        expression: `variables.name.matches("^${namespacePrefix}[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")`,
        message: `a review job may create, change and delete only namespaces ${namespacePrefix}<slug>`,
      },
      {
        expression: `${isRemover} || variables.owner == request.userInfo.username`,
        message: `the namespace belongs to another branch: its annotation ${ownerAnnotation} is not the user of this job`,
      },
      // The name of a namespace cannot change, so the policy compares the name with the branch only
      // when a job creates the namespace.
      {
        expression: `request.operation != "CREATE" || ${nameOfBranch.expression}`,
        message: nameOfBranch.message,
      },
      {
        expression: `request.operation != "UPDATE" || ${ownerOf("object")} == variables.owner`,
        message: `the annotation ${ownerAnnotation} must not change`,
      },
      {
        expression: `${notDeleting} || (${label("pod-security.kubernetes.io/enforce")} == "restricted" && object.metadata.labels.all(key, key in ${cel(namespaceLabels)}))`,
        message:
          "the namespace must enforce Pod Security restricted, and have only the labels of a review stack",
      },
      {
        expression: `${notDeleting} || (${Object.entries(reviewNamespaceLabels)
          .map(([key, value]) => `${label(key)} == ${cel(value)}`)
          .join(
            " && ",
          )} && ${label("app.kubernetes.io/managed-by")} == "pulumi" && variables.name.startsWith(${cel(namespacePrefix)}) && ${label("app.kubernetes.io/instance")} == ${cel(`${service}-`)} + ${slugOf("variables.name")})`,
        message: "the namespace must have the labels of the review stack that its name contains",
      },
      {
        expression: `${notDeleting} || object.metadata.annotations.all(key, key in ${cel(allowed)} || key.startsWith("pulumi.com/"))`,
        message: `the namespace may have only the annotations ${allowed.join(", ")} and those of Pulumi`,
      },
    ],
    variables: [
      { expression: `request.operation == "CREATE" ? object : oldObject`, name: "known" },
      { expression: "variables.known.metadata.name", name: "name" },
      { expression: ownerOf("variables.known"), name: "owner" },
      ...nameOfBranch.variables,
    ],
  };
}

const alb = "alb.ingress.kubernetes.io/";
/**
 * Annotations that the Ingress of a review stack may have, and the pattern of each value. All
 * review stacks share one load balancer. If two Ingresses have different settings for a listener,
 * or one Ingress has an invalid value, the controller stops applying changes to all of these
 * Ingresses.
 */
const albAnnotations: Readonly<Record<string, string>> = {
  [`${alb}group.name`]: reviewIngressGroup,
  [`${alb}healthcheck-path`]: "/[A-Za-z0-9/_.~-]{0,200}",
  [`${alb}healthcheck-port`]: "[0-9]{1,5}",
  [`${alb}listen-ports`]: '[[]{"HTTP":80}(,{"HTTPS":443})?]',
  [`${alb}scheme`]: "internal",
  [`${alb}ssl-policy`]: ingress.albSslPolicy,
  [`${alb}ssl-redirect`]: "443",
  // AWS accepts a delay of at most 3600 seconds. The pattern is less exact: it allows up to 3999
  // seconds.
  [`${alb}target-group-attributes`]: "deregistration_delay.timeout_seconds=[1-3]?[0-9]{1,3}",
  [`${alb}target-type`]: "ip",
};

/**
 * Returns the policy for Ingresses: an Ingress in a review namespace may have only the host of this
 * namespace's review stack, no matter who creates the Ingress. The policy does not check the
 * namespace of the Services, because Kubernetes lets an Ingress use only Services in its own
 * namespace.
 */
export function ingresses({ domain, ingressClassName }: ReviewLimits): Policy {
  const onAlb = ingressClassName === "alb";
  const annotation = (key: string) => `object.metadata.?annotations[?${cel(key)}].orValue("")`;
  const allowed = onAlb ? albAnnotations : {};
  const [before = "", after = ""] = reviewHostPattern.replace("{domain}", domain).split("{slug}");
  const hosts = `${before}<slug>${after}`;
  return {
    on: [
      { apiGroup: "networking.k8s.io", operations: ["CREATE", "UPDATE"], resources: ["ingresses"] },
    ],
    only: inReview,
    validations: [
      {
        expression: `has(object.spec.rules) && object.spec.rules.all(rule, has(rule.host) && rule.host == variables.host) && !has(object.spec.defaultBackend)`,
        message: `every rule of a review stack's Ingress must have the host ${hosts}, and the Ingress must have no default backend`,
      },
      {
        expression: `!has(object.spec.tls) || object.spec.tls.all(tls, has(tls.hosts) && tls.hosts.all(host, host == variables.host))`,
        message: `the Ingress of a review stack may use TLS only for ${hosts}`,
      },
      {
        expression: `has(object.spec.ingressClassName) && object.spec.ingressClassName == ${cel(ingressClassName)}`,
        message: `the class of a review stack's Ingress must be ${ingressClassName}`,
      },
      {
        expression: `!has(object.metadata.annotations) || object.metadata.annotations.all(key, key.startsWith("pulumi.com/") || key in ${cel(Object.keys(allowed))})`,
        message:
          "the Ingress of a review stack may have only the annotations that the program gives it",
      },
      ...Object.entries(allowed).map(([key, value]) => ({
        expression: `!has(object.metadata.annotations) || !(${cel(key)} in object.metadata.annotations) || object.metadata.annotations[${cel(key)}].matches(${cel(`^${value}$`)})`,
        message: `${key} of a review stack must match ${value}`,
      })),
      ...(onAlb
        ? [
            {
              expression: `${annotation(`${alb}group.name`)} == ${cel(reviewIngressGroup)} && ${annotation(`${alb}scheme`)} == "internal"`,
              message: `the Ingress of a review stack must have group.name ${reviewIngressGroup} and scheme internal`,
            },
            {
              // For a port with the name `use-annotation`, the AWS Load Balancer Controller reads
              // an annotation of the Ingress. If the annotation is missing, the controller stops.
              expression: `object.spec.rules.all(rule, !has(rule.http) || rule.http.paths.all(path, has(path.backend.service) && !(has(path.backend.service.port) && has(path.backend.service.port.name) && path.backend.service.port.name == "use-annotation")))`,
              message:
                "the Ingress of a review stack may route only to Services, not to use-annotation",
            },
          ]
        : []),
    ],
    variables: [
      {
        expression: `${cel(before)} + ${slugOf("request.namespace")} + ${cel(after)}`,
        name: "host",
      },
    ],
  };
}

/**
 * Policy for Services: a Service in a review namespace must be reachable only from inside the
 * cluster, no matter who creates the Service.
 */
export const services: Policy = {
  on: [{ apiGroup: "", operations: ["CREATE", "UPDATE"], resources: ["services"] }],
  only: inReview,
  validations: [
    {
      // With a Service of type `ExternalName`, an Ingress could send requests to production's
      // Service.
      expression: `object.spec.type == "ClusterIP" && (!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0)`,
      message:
        "a Service of a review stack must be of type ClusterIP, and must have no externalIPs",
    },
    {
      expression: `!has(object.metadata.annotations) || object.metadata.annotations.all(key, !key.contains("external-dns.") && !key.startsWith("service.") && !key.startsWith(${cel(alb)}))`,
      message:
        "the annotations of a review stack's Service must not ask for DNS names or load balancers",
    },
  ],
};

/**
 * Policy for ServiceAccounts: a ServiceAccount in a review namespace must not have an IAM role, no
 * matter who creates the ServiceAccount.
 */
export const serviceAccounts: Policy = {
  on: [{ apiGroup: "", operations: ["CREATE", "UPDATE"], resources: ["serviceaccounts"] }],
  only: inReview,
  validations: [
    {
      expression: `!has(object.metadata.annotations) || object.metadata.annotations.all(key, !key.startsWith("eks.amazonaws.com/"))`,
      message: "a ServiceAccount of a review stack must not have an IAM role",
    },
  ],
};
