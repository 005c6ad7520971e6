import { stringify } from "yaml";
import { imageRef } from "../install/images";
import { net } from "../layout";
import { watchedParameters } from "./watched-parameters";

const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65534,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

type Rule = [groups: string[], resources: string[], verbs: string[]];

const read = ["get", "list", "watch"];
const write = [...read, "create", "patch", "update", "delete"];

/**
 * Returns a ClusterRole, and a ClusterRoleBinding that grants this role to a ServiceAccount of
 * kube-system or to a user.
 */
function role(
  name: string,
  subject: { serviceAccount: string } | { user: string },
  rules: Rule[],
): object[] {
  const apiGroup = "rbac.authorization.k8s.io";
  const bound =
    "user" in subject
      ? { kind: "User", name: subject.user, apiGroup }
      : { kind: "ServiceAccount", name: subject.serviceAccount, namespace: "kube-system" };
  return [
    {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      rules: rules.map(([apiGroups, resources, verbs]) => ({ apiGroups, resources, verbs })),
    },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup, kind: "ClusterRole", name },
      subjects: [bound],
    },
  ];
}

interface Content {
  readonly labels?: Readonly<Record<string, string>>;
  readonly data?: object;
  readonly spec?: object;
}

/** Returns an object in the namespace kube-system. */
function inKubeSystem(apiVersion: string, kind: string, name: string, content: Content): object {
  const { labels, ...rest } = content;
  return { apiVersion, kind, metadata: { name, namespace: "kube-system", labels }, ...rest };
}

function serviceAccount(name: string): object {
  return inKubeSystem("v1", "ServiceAccount", name, {});
}

/** Returns a Deployment. Its pods use the ServiceAccount with the same name as the Deployment. */
function deployment(name: string, labels: Record<string, string>, podSpec: object): object {
  return inKubeSystem("apps/v1", "Deployment", name, {
    labels,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          priorityClassName: "system-cluster-critical",
          ...podSpec,
        },
      },
    },
  });
}

// These objects have the same labels, names and port names as the DNS of a real cluster. So a
// NetworkPolicy that allows DNS in a real cluster also allows DNS in the sandbox.
function dns(): object[] {
  const labels = { "k8s-app": "kube-dns" };
  const Corefile = `.:53 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa {
    fallthrough in-addr.arpa
  }
  cache 5
}
`;
  return [
    serviceAccount("coredns"),
    ...role("system:coredns", { serviceAccount: "coredns" }, [
      [[""], ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]],
      [["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]],
    ]),
    inKubeSystem("v1", "ConfigMap", "coredns", { data: { Corefile } }),
    deployment("coredns", labels, {
      dnsPolicy: "Default",
      containers: [
        {
          name: "coredns",
          image: imageRef("coredns"),
          args: ["-conf", "/etc/coredns/Corefile"],
          ports: [
            { name: "dns", containerPort: 53, protocol: "UDP" },
            { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
          ],
          resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "128Mi" } },
          securityContext: {
            ...restrictedContainer,
            capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
            runAsNonRoot: false,
            runAsUser: 0,
          },
          readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
          volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
        },
      ],
      volumes: [{ name: "config", configMap: { name: "coredns" } }],
    }),
    inKubeSystem("v1", "Service", "kube-dns", {
      labels,
      spec: {
        selector: labels,
        clusterIP: net.dnsService,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    }),
  ];
}

function metrics(): object[] {
  const labels = { "k8s-app": "metrics-server" };
  return [
    serviceAccount("metrics-server"),
    ...role("system:metrics-server", { serviceAccount: "metrics-server" }, [
      [[""], ["nodes/metrics"], ["get"]],
      [[""], ["pods", "nodes", "namespaces", "configmaps"], read],
      [["authentication.k8s.io"], ["tokenreviews"], ["create"]],
      [["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]],
    ]),
    deployment("metrics-server", labels, {
      containers: [
        {
          name: "metrics-server",
          image: imageRef("metrics-server"),
          args: [
            "--cert-dir=/tmp",
            "--secure-port=10250",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
            "--metric-resolution=15s",
          ],
          ports: [{ name: "https", containerPort: 10250 }],
          resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "256Mi" } },
          securityContext: restrictedContainer,
          readinessProbe: {
            httpGet: { path: "/readyz", port: "https", scheme: "HTTPS" },
            periodSeconds: 5,
          },
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        },
      ],
      volumes: [{ name: "tmp", emptyDir: {} }],
    }),
    inKubeSystem("v1", "Service", "metrics-server", {
      labels,
      spec: { selector: labels, ports: [{ name: "https", port: 443, targetPort: "https" }] },
    }),
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1beta1.metrics.k8s.io" },
      spec: {
        group: "metrics.k8s.io",
        version: "v1beta1",
        service: { name: "metrics-server", namespace: "kube-system" },
        // metrics-server uses a self-signed certificate, and the API server cannot verify this
        // certificate. The official manifests of metrics-server also set this option.
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
}

function storage(): object[] {
  const setup = '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n';
  const teardown = '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n';
  const helperPod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "local-path-helper" },
    spec: {
      priorityClassName: "system-node-critical",
      automountServiceAccountToken: false,
      containers: [
        { name: "helper", image: imageRef("postgres"), securityContext: { runAsUser: 0 } },
      ],
    },
  };
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: "local-path",
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: "sandbox/local-path",
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
    },
    serviceAccount("local-path-helper"),
    ...role("sandbox:local-path-provisioner", { user: "sandbox:local-path-provisioner" }, [
      [[""], ["nodes", "persistentvolumeclaims", "configmaps", "pods/log"], read],
      [[""], ["pods"], write],
      [[""], ["persistentvolumes"], write],
      [[""], ["events"], ["create", "patch"]],
      [[""], ["endpoints"], write],
      [["coordination.k8s.io"], ["leases"], write],
      [["storage.k8s.io"], ["storageclasses"], read],
    ]),
    inKubeSystem("v1", "ConfigMap", "local-path-config", {
      data: { setup, teardown, "helperPod.yaml": stringify(helperPod) },
    }),
  ];
}

function ingress(): object[] {
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: {
        name: "traefik",
        annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
      },
      spec: { controller: "traefik.io/ingress-controller" },
    },
    ...role("sandbox:traefik", { user: "sandbox:traefik" }, [
      [[""], ["services", "endpoints", "secrets", "nodes", "namespaces"], read],
      [["discovery.k8s.io"], ["endpointslices"], read],
      [["networking.k8s.io"], ["ingresses", "ingressclasses"], read],
      [["networking.k8s.io"], ["ingresses/status"], ["update"]],
    ]),
  ];
}

function networkPolicies(): object[] {
  return role("sandbox:network-policies", { user: "sandbox:network-policies" }, [
    [[""], ["pods", "namespaces"], read],
    [["networking.k8s.io"], ["networkpolicies"], read],
  ]);
}

/**
 * Returns the objects that the cluster needs in addition to its daemons, as YAML documents.
 *
 * @param annotations annotations of the namespace kube-system
 */
export function addons(annotations: Readonly<Record<string, string>>): string {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { annotations, name: "kube-system" } },
    ...[...dns(), ...metrics(), ...storage(), ...ingress(), ...networkPolicies()],
    ...watchedParameters(),
  ]
    .map((object) => stringify(object))
    .join("---\n");
}
