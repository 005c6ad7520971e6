import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
import { probeNamespace, restricted } from "../probe/pods";

/**
 * The objects of the probe that determines whether network policies apply from a pod's first
 * instruction: a namespace with two pods, and a network policy for each pod.
 */

/**
 * Label of the probe's namespace. If a probe is killed, its namespace remains, and the next probe
 * finds this namespace by the label.
 */
export const doctorLabel = "doctor-probe";

/**
 * The roles of the two pods. The network policies deny every connection of the pod `denied`, and
 * allow every connection of the pod `allowed`.
 */
export const roles = ["denied", "allowed"] as const;
export type Role = (typeof roles)[number];

/** Seconds after which Kubernetes ends a pod. So a killed probe does not leave a running pod. */
const lifetimeSeconds = 60;
/** Longest time that a pod waits until its network policies apply, in seconds. */
const policySeconds = 10;

const program = readFileSync(join(project, "operations", "doctor", "first-instruction.pl"), "utf8");
const connect = readFileSync(join(project, "operations", "probe", "connect.pl"), "utf8");

/**
 * Returns the command of a pod. The pod's first instruction tries to connect to the addresses in
 * `doors`, such as `TCP/10.0.0.1/443`.
 */
export function firstInstruction(role: Role, doors: readonly string[]): readonly string[] {
  return ["perl", "-e", program, role, String(policySeconds), connect, ...doors];
}

/**
 * Returns the probe's namespace and all objects in it, in the order of their creation: policies
 * before pods.
 */
export function probeObjects(
  namespace: string,
  image: string,
  doors: readonly string[],
): readonly object[] {
  return [
    probeNamespace(namespace, doctorLabel),
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
      ...restricted.pod,
      activeDeadlineSeconds: lifetimeSeconds,
      containers: [
        {
          ...restricted.container,
          command: firstInstruction(role, doors),
          image,
          name: "probe",
          resources: { limits: { memory: "64Mi" }, requests: { cpu: "5m", memory: "32Mi" } },
        },
      ],
    },
  };
}
