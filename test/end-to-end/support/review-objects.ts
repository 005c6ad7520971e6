import { labels } from "../../../components/conventions/labels";
import {
  people,
  reviewAccess,
  reviewIngressGroup,
  reviewUser,
} from "../../../components/conventions/ci-roles";
import { service } from "../../../config/service";
import { reviewNamespace } from "../../../components/conventions/defaults";
import { slugOf } from "../../../environments";

/**
 * The objects of a review stack. Tests create these objects one at a time without Pulumi. With the
 * arguments of the methods, tests create objects with wrong values.
 */
export class ReviewObjects {
  readonly namespace: string;
  readonly host: string;
  private readonly labels: Readonly<Record<string, string>>;

  constructor(
    readonly branch: string,
    domain: string,
  ) {
    const slug = slugOf(branch);
    this.namespace = `${reviewAccess.namespacePrefix}${slug}`;
    this.host = `${service}-${slug}.${domain}`;
    const app = `${service}-${slug}`;
    this.labels = labels(
      { app, environment: "review", instance: app, protectedBranch: false, service },
      "namespace",
    );
  }

  private metadata(name: string) {
    return { labels: this.labels, name, namespace: this.namespace };
  }

  namespaceObject(change: Readonly<Record<string, string>> = {}, owner = reviewUser(this.branch)) {
    return {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        annotations: { [reviewAccess.ownerAnnotation]: owner },
        labels: { ...this.labels, "pod-security.kubernetes.io/enforce": "restricted", ...change },
        name: this.namespace,
      },
    };
  }

  binding(users: readonly string[] = [reviewUser(this.branch), reviewUser("main")]) {
    const apiGroup = "rbac.authorization.k8s.io";
    return {
      apiVersion: `${apiGroup}/v1`,
      kind: "RoleBinding",
      metadata: this.metadata(reviewAccess.bindingName),
      roleRef: { apiGroup, kind: "ClusterRole", name: reviewAccess.clusterRole },
      subjects: users.map((name) => ({ apiGroup, kind: "User", name })),
    };
  }

  developersBinding(group: string = people.developers.group) {
    const apiGroup = "rbac.authorization.k8s.io";
    const { bindingName, clusterRole } = people.developers;
    return {
      apiVersion: `${apiGroup}/v1`,
      kind: "RoleBinding",
      metadata: this.metadata(bindingName),
      roleRef: { apiGroup, kind: "ClusterRole", name: clusterRole },
      subjects: [{ apiGroup, kind: "Group", name: group }],
    };
  }

  quota(change: Readonly<Record<string, string>> = {}) {
    const hard = {
      ...reviewNamespace.quotaObjects,
      "limits.ephemeral-storage": "3Gi",
      pods: "3",
      "requests.cpu": "1",
      "requests.ephemeral-storage": "1Gi",
      "requests.memory": "1Gi",
      "requests.storage": "1Gi",
      ...change,
    };
    return {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: this.metadata("review"),
      spec: { hard },
    };
  }

  limitRange(ratio = "4") {
    const limit = {
      default: { "ephemeral-storage": "64Mi", memory: "64Mi" },
      defaultRequest: { cpu: "10m", "ephemeral-storage": "64Mi", memory: "64Mi" },
      maxLimitRequestRatio: { memory: ratio },
      type: "Container",
    };
    return {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: this.metadata("review"),
      spec: { limits: [limit] },
    };
  }

  networkPolicy(name: string, spec: object) {
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: this.metadata(name),
      spec: { podSelector: {}, ...spec },
    };
  }

  denyAll() {
    return this.networkPolicy("default-deny", { policyTypes: ["Ingress", "Egress"] });
  }

  ingress(host = this.host, annotations: Readonly<Record<string, string>> = {}, spec: object = {}) {
    const alb = "alb.ingress.kubernetes.io";
    const backend = { service: { name: service, port: { number: 80 } } };
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        ...this.metadata(service),
        annotations: {
          [`${alb}/group.name`]: reviewIngressGroup,
          [`${alb}/scheme`]: "internal",
          ...annotations,
        },
      },
      spec: {
        ingressClassName: "alb",
        rules: [{ host, http: { paths: [{ backend, path: "/", pathType: "Prefix" }] } }],
        ...spec,
      },
    };
  }

  service(spec: object = {}) {
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: this.metadata(service),
      spec: { ports: [{ port: 80 }], selector: this.labels, ...spec },
    };
  }

  secret() {
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: this.metadata("database"),
      stringData: { password: "throw-away" },
    };
  }

  /** Returns a Deployment whose pods never start, because their image does not exist. */
  deployment(replicas = 1) {
    const selector = { app: this.namespace };
    const container = {
      image: "registry.invalid/none:1",
      name: "web",
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    };
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: this.metadata(service),
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector },
          spec: {
            containers: [container],
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 10001,
              seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds: 0,
          },
        },
      },
    };
  }

  /** Returns all objects of a review stack, in the order of their creation. */
  all(): readonly object[] {
    return [
      this.namespaceObject(),
      this.binding(),
      this.developersBinding(),
      this.quota(),
      this.limitRange(),
      this.denyAll(),
      this.secret(),
      this.service(),
      this.ingress(),
      this.deployment(),
    ];
  }
}
