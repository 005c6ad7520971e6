/**
 * Returns admission policies that reject nothing. These policies prevent the effects of a bug in
 * Kubernetes 1.34. A policy can have a parameter: an object of a kind such as ResourceQuota. When
 * someone deletes the last policy whose parameter has this kind, the API server stops watching the
 * objects of this kind. If someone then creates another policy whose parameter has this kind, the
 * API server does not begin to watch the objects again. The sandbox never deletes the policies of
 * this function, so the API server never stops watching.
 */
export function watchedParameters(): object[] {
  const apiVersion = "admissionregistration.k8s.io/v1";
  return [
    ["v1", "ResourceQuota"],
    ["v1", "LimitRange"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["v1", "PodTemplate"],
    ["batch/v1", "CronJob"],
    ["apps/v1", "Deployment"],
  ].flatMap(([parameters, kind = ""]) => {
    const name = `sandbox-watches-${kind.toLowerCase()}`;
    const pods = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"] };
    const never = { ...pods, resourceNames: ["no-pod-is-called-so"], resources: ["pods"] };
    return [
      {
        apiVersion,
        kind: "ValidatingAdmissionPolicy",
        metadata: { name },
        spec: {
          failurePolicy: "Ignore",
          matchConstraints: { resourceRules: [never] },
          paramKind: { apiVersion: parameters, kind },
          validations: [{ expression: "true" }],
        },
      },
      {
        apiVersion,
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name },
        spec: {
          paramRef: { name: "none", parameterNotFoundAction: "Allow" },
          policyName: name,
          validationActions: ["Audit"],
        },
      },
    ];
  });
}
