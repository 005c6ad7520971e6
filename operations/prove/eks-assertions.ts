import { type Row, checks } from "../doctor/finding";
import { type Assertion, type Verdict, differs, open, proven } from "./assertions";

/** Returns the verdict for one check of `npm run doctor -- platform`. */
const found =
  (check: (typeof checks)[keyof typeof checks]) =>
  (rows: readonly Row[]): Verdict => {
    const row = rows.find((one) => one.check === check);
    if (row === undefined) return open("the doctor did not check this");
    if (row.needed === false) return open(row.text);
    if (row.status === "ok") return proven;
    return row.status === "wrong" ? differs(row.text) : open(row.text);
  };

/**
 * The assumptions about a cluster on EKS. The first assumption is also true of the sandbox, except
 * in namespaces whose name begins with `standard-mode`. In these namespaces, the network policies
 * take effect too late, as in the standard mode of EKS. test/end-to-end/network.test.ts tests both
 * kinds of namespaces.
 */
export const eksAssertions: readonly Assertion<readonly Row[]>[] = [
  {
    check: found(checks.policies),
    id: "eks-first-instruction",
    says: "network policies hold from a pod's first instruction",
  },
  {
    check: found(checks.metadata),
    id: "eks-metadata",
    says: "a pod gets no instance metadata, so it cannot use the role of its node",
  },
  {
    check: found(checks.clusterDns),
    id: "eks-dns",
    says: "the network policies of review stacks allow connections to the cluster's DNS",
  },
  {
    check: found(checks.platforms),
    id: "eks-platforms",
    says: "the images of the stacks run on every node",
  },
  {
    check: found(checks.readinessGates),
    id: "eks-readiness-gates",
    says: "new pods get the readiness gates of the load balancer",
  },
  {
    check: found(checks.certificate),
    id: "eks-certificate",
    says: "ACM has a certificate for the hosts of review stacks",
  },
];
