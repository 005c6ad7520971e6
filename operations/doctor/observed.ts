import { type Enforcement, remedies } from "./record";
import { type Finding, ok, unknown, wrong } from "./finding";

/** The functions in this file interpret the output of the probe's pods. */

/** The addresses to which the pods try to connect. The key is the address's name in a finding. */
export type Doors = Readonly<Record<string, string>>;

/**
 * The result of each connection, as connect.pl prints the result. The key is the connection, such
 * as `TCP/10.0.0.1/443`.
 */
type Results = ReadonlyMap<string, string>;

/** Returns the results in those lines of a pod's output that begin with `word`. */
function results(output: string, word: "first" | "last" | "metadata"): Results {
  const lines = output.split("\n").map((line) => line.split(" "));
  return new Map(
    lines.filter(([is]) => is === word).map(([, door = "", seen = ""]) => [door, seen]),
  );
}

const isOpen = (seen: Results, door: string) => seen.get(door) === "open";

/**
 * When network policies began to apply to the pods, or why the pods' output does not show this
 * time.
 */
export interface Seen {
  readonly enforcement?: Enforcement;
  readonly finding: Finding;
}

/**
 * Returns when network policies begin to apply to a pod.
 *
 * @param denied output of the pod that may connect to nothing
 * @param allowed output of the pod that may connect to everything. An address that this pod does
 * not reach says nothing about network policies
 */
export function enforcementIn(denied: string, allowed: string, doors: Doors): Seen {
  const [first, last] = [results(denied, "first"), results(denied, "last")];
  const reachable = results(allowed, "last");
  const entries = Object.entries(doors);
  if (first.size === 0)
    return { finding: unknown("the pod that may connect to nothing printed nothing") };
  const opened = entries.filter(([, door]) => isOpen(first, door)).map(([name]) => name);
  if (opened.length > 0) {
    const enforcement = entries.some(([, door]) => isOpen(last, door)) ? "never" : "late";
    const when = enforcement === "late" ? "with its first instruction" : "all the time";
    return {
      enforcement,
      finding: wrong(
        `a pod that may connect to nothing reached ${opened.join(" and ")} ${when}. ${remedies[enforcement]}`,
      ),
    };
  }
  const tried = entries.filter(([, door]) => isOpen(reachable, door)).map(([name]) => name);
  if (tried.length === 0) {
    return {
      finding: unknown(
        "the pod that may connect to everything reached nothing either, so the test proves nothing. Check the cluster's DNS and that pods reach the API server",
      ),
    };
  }
  return {
    enforcement: "strict",
    finding: ok(`the first instruction of a pod reached nothing (tried: ${tried.join(", ")})`),
  };
}

/**
 * Returns whether a pod without restrictions can read the EC2 instance metadata service (IMDS). A
 * pod that can read this service can get the credentials of the node's role.
 *
 * @see https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
 */
export function metadataIn(allowed: string): Finding {
  const seen = results(allowed, "metadata");
  const [plain, token] = [seen.get("without-token"), seen.get("token")];
  if (plain === undefined || token === undefined) {
    return unknown("the pod that tries to read the instance metadata printed no result");
  }
  if (plain === "200") {
    return wrong(
      "a pod can read the instance metadata without a token, so the pod can use the node's role in AWS. Require IMDSv2 with hop limit 1 on all nodes",
    );
  }
  if (token === "200") {
    return wrong(
      "a pod gets a token for the instance metadata, so the pod can use the node's role in AWS. Set the hop limit to 1 on all nodes",
    );
  }
  return ok("a pod gets no instance metadata from 169.254.169.254");
}
