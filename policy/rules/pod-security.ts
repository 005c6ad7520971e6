import { at, elements, unknown } from "./declared";
import { type Located, containers, podSpec } from "./pods";
import type { Broken, Rule } from "./rule";

/**
 * Returns the value of a field of a container's security context. If the container does not set the
 * field, the function returns the pod's value, because Kubernetes then uses the pod's value.
 */
function effective(pod: unknown, container: unknown, key: string): unknown {
  return at(container, "securityContext", key) ?? at(pod, "securityContext", key);
}

function rootFaults(pod: Located, { path, value }: Located): readonly Broken[] {
  const user = effective(pod.value, value, "runAsUser");
  const nonRoot = effective(pod.value, value, "runAsNonRoot");
  const context = `${path}.securityContext`;
  return [
    ...(nonRoot === true || nonRoot === unknown
      ? []
      : [
          {
            got: nonRoot,
            must: "be true, here or for the pod",
            path: `${context}.runAsNonRoot`,
            todo: "set it to true, and run the image as a user that is not root",
          },
        ]),
    ...(user === 0
      ? [
          {
            got: user,
            must: "not be 0, which is root",
            path: `${context}.runAsUser`,
            todo: "use a user of the image that is not root, such as 10001",
          },
        ]
      : []),
  ];
}

/**
 * If an attacker escapes from a container in which the process is root, the attacker may be root on
 * the node.
 */
export const nonRoot: Rule = {
  name: "non-root",
  description: "No container runs as root",
  check(object) {
    const pod = podSpec(object);
    return pod === undefined
      ? []
      : containers(object).flatMap((container) => rootFaults(pod, container));
  },
};

/**
 * The rule checks the fields `allowPrivilegeEscalation` and `privileged` of each container, because
 * a pod's security context does not have these two fields. The default of
 * `allowPrivilegeEscalation` is true.
 */
export const noPrivilegeEscalation: Rule = {
  name: "no-privilege-escalation",
  description:
    "No container runs privileged, and no process gains more privileges than its parent process",
  check: (object) =>
    containers(object).flatMap(({ path, value }) => {
      const context = `${path}.securityContext`;
      const escalation = at(value, "securityContext", "allowPrivilegeEscalation");
      const privileged = at(value, "securityContext", "privileged");
      return [
        ...(escalation === false || escalation === unknown
          ? []
          : [
              {
                got: escalation,
                must: "be false",
                path: `${context}.allowPrivilegeEscalation`,
                todo: "set it to false, because the default is true",
              },
            ]),
        ...(privileged === true
          ? [
              {
                got: privileged,
                must: "not be true",
                path: `${context}.privileged`,
                todo: "remove it",
              },
            ]
          : []),
      ];
    }),
};

const hostPathTodo = "use an emptyDir, a PersistentVolumeClaim, a ConfigMap or a Secret";

/**
 * A `hostPath` volume is a directory of the node. Such a volume can give a pod access to the whole
 * node. All pods on the node that mount the same directory share its files.
 */
export const noHostPath: Rule = {
  name: "no-host-path",
  description: "No volume is a directory of the node",
  check(object) {
    const pod = podSpec(object);
    const volumes = [
      ...(pod === undefined ? [] : elements(pod.value, pod.path, "volumes")),
      ...(object.kind === "PersistentVolume"
        ? [{ path: "spec", value: at(object.props, "spec") }]
        : []),
    ];
    return volumes
      .map(({ path, value }) => ({ got: at(value, "hostPath"), path: `${path}.hostPath` }))
      .filter(({ got }) => got !== undefined && got !== null && got !== unknown)
      .map((place) => ({ ...place, must: "not be set", todo: hostPathTodo }));
  },
};
