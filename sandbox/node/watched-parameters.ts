/**
 * Policies that refuse nothing. Kubernetes 1.34 stops watching objects of a kind when the last
 * bound policy with that kind as its parameter is deleted, and does not start again for the next
 * such policy. With these policies there is always one left.
 */
export function watchedParameters(): object[] {
  const apiVersion = "admissionregistration.k8s.io/v1";
  return [
    ["v1", "ResourceQuota"],
    ["v1", "LimitRange"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
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
