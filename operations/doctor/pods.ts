import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pod as defaults } from "../../components/conventions/defaults";

/** The objects of the probe: a namespace with two pods, and a network policy for each pod. */

/** Label of the probe's namespace. The next probe uses it to find what a killed probe left. */
export const doctorLabel = "doctor-probe";

/** `denied` may connect to nothing, and `allowed` to everything. */
export const roles = ["denied", "allowed"] as const;
export type Role = (typeof roles)[number];

/** Seconds after which a pod ends, even if nothing deletes the pod. */
const lifetimeSeconds = 60;
/** Seconds during which a pod waits for its network policies. */
const policySeconds = 10;

const program = readFileSync(join(import.meta.dirname, "first-instruction.pl"), "utf8");
const connect = readFileSync(join(import.meta.dirname, "..", "probe", "connect.pl"), "utf8");

/** Returns a command whose first instruction tries connections, such as `TCP/10.0.0.1/443`. */
export function firstInstruction(role: Role, doors: readonly string[]): readonly string[] {
  return ["perl", "-e", program, role, String(policySeconds), connect, ...doors];
}

/** Returns the namespace with everything in it, in the order of creation: policies before pods. */
export function probeObjects(
  namespace: string,
  image: string,
  doors: readonly string[],
): readonly object[] {
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        labels: { [doctorLabel]: "namespace", "pod-security.kubernetes.io/enforce": "restricted" },
        name: namespace,
      },
    },
    ...roles.map((role) => policy(namespace, role)),
    ...roles.map((role) => pod(namespace, role, image, doors)),
  ];
}

function policy(namespace: string, role: Role): object {
  const rules = role === "allowed" ? { egress: [{}], ingress: [{}] } : {};
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: role, namespace },
    spec: {
      podSelector: { matchLabels: { [doctorLabel]: role } },
      policyTypes: ["Egress", "Ingress"],
      ...rules,
    },
  };
}

function pod(namespace: string, role: Role, image: string, doors: readonly string[]): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { labels: { [doctorLabel]: role }, name: role, namespace },
    spec: {
      activeDeadlineSeconds: lifetimeSeconds,
      automountServiceAccountToken: false,
      containers: [
        {
          command: firstInstruction(role, doors),
          image,
          imagePullPolicy: "IfNotPresent",
          name: "probe",
          resources: { limits: { memory: "64Mi" }, requests: { cpu: "5m", memory: "32Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
      enableServiceLinks: false,
      restartPolicy: "Never",
      securityContext: {
        runAsGroup: defaults.userId,
        runAsNonRoot: true,
        runAsUser: defaults.userId,
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationGracePeriodSeconds: 0,
    },
  };
}
