/** A self-hosted runner, by its resource class: `namespace/name`. */
export type RunnerClass = `${string}/${string}`;

/** A step of an orb: `name/command`. */
export type OrbStep = Readonly<
  Record<`${string}/${string}`, Readonly<Record<string, string | boolean>>>
>;

/**
 * The company's own security scanner, where it comes as an orb: its name and full version, and its
 * step. A scanner that is a command is one entry in scanners.ts.
 *
 * @example
 * export const companyScan = {
 *   orbs: { scanner: "acme/scanner@1.2.3" },
 *   steps: [{ "scanner/scan": { severity: "high" } }],
 * };
 */
export const companyScan: {
  readonly orbs: Readonly<Record<string, string>>;
  readonly steps: readonly OrbStep[];
} = { orbs: {}, steps: [] };

/**
 * Where jobs run that must reach addresses inside the company's network: the smoke tests of stacks
 * whose load balancer is `internal`, which CircleCI's own machines never reach. It is the resource
 * class of a container runner (`namespace/name`), which runs the same image as all other jobs.
 * docs/pipeline.md says how to set one up, and what to do without.
 *
 * Not asked through the Kubernetes API instead (`services/proxy`): each branch's jobs would need a
 * right to read whatever staging serves, and the way of a user's request, by name, certificate,
 * load balancer and Ingress, would go untested.
 *
 * @example
 * export const insideNetwork = { runner: "acme/orders-smoke", stacks: ["review", "staging"] };
 */
export const insideNetwork: {
  /** Without one these jobs run on CircleCI's machines too. @default undefined */
  readonly runner: RunnerClass | undefined;
  /** Stacks whose `ingressScheme` is `internal`; a review stack's always is. */
  readonly stacks: readonly ("prod" | "review" | "staging")[];
} = { runner: undefined, stacks: ["review", "staging"] };
