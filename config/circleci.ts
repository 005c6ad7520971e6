/** Resource class of a self-hosted runner: `namespace/name`. */
export type RunnerClass = `${string}/${string}`;

/** A step of an orb: `name/command`. */
export type OrbStep = Readonly<
  Record<`${string}/${string}`, Readonly<Record<string, string | boolean>>>
>;

/**
 * The deploy project: a second CircleCI project, whose jobs change staging and production and
 * remove stacks. Anyone who can push a branch can rerun jobs of the service's own project with SSH.
 * So AWS must not give the permissions for these changes to jobs of the service's own project.
 * docs/trust.md explains how to set up a deploy project, and which protections a team does not have
 * without a deploy project.
 *
 * `directory` is the directory of the deploy project's configuration, in a clone of a repository
 * that developers cannot push to. A relative path starts at this repository's root directory.
 *
 * @example
 * export const deployProject = { directory: "../services-orders-deploy/.circleci" };
 */
export const deployProject = undefined as { readonly directory: string } | undefined;

/**
 * Images of the CircleCI jobs, each with a full version. `java` has Java 17, Maven, Node.js and
 * git. The commands in this image do not run as root: the tests start PostgreSQL, and PostgreSQL
 * refuses to start as root. This image contains Eclipse Temurin. A test checks that its version is
 * the version in service/Dockerfile, so that the jobs run the tests with the JDK of the service.
 * `pulumi` has Pulumi, Node.js, the AWS CLI, kubectl, and Python with pip. A test checks that the
 * version of this image is the version of Pulumi in package.json.
 *
 * Someone can move a tag to another image. `npm run pipeline -- pin` adds the digest of each image
 * to this file. With the digests, the jobs always run the same images. Renovate updates a version
 * together with its digest.
 */
export const executorImages = {
  java: "cimg/openjdk:17.0.19-node",
  pulumi: "pulumi/pulumi:3.215.0",
} as const;

/**
 * The CircleCI orb of the company's own security scanner: the orb's name and full version, and the
 * step that scans. If the scanner is a command, add it to scanners.ts, not to this file.
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
 * The runner for jobs that connect to addresses inside the company's network: the smoke tests of
 * stacks whose load balancer is `internal`. CircleCI's own machines cannot connect to such a load
 * balancer. `runner` is the resource class of a container runner (`namespace/name`). On such a
 * runner, the jobs use the same images as on CircleCI's own machines. docs/pipeline.md explains how
 * to set up a runner, and what to do without a runner.
 *
 * The smoke tests do not send their requests through the Kubernetes API (`services/proxy`), because
 * the jobs of each branch would then need permission to read all responses of staging. Also, a test
 * through this API would not check the DNS name, the certificate, the load balancer and the
 * Ingress, which a user's request needs.
 *
 * @example
 * const insideNetwork = { runner: "acme/orders-smoke", stacks: ["review", "staging", "prod"] };
 */
export const insideNetwork: {
  /**
   * Runner of these jobs. If undefined, the jobs run on CircleCI's machines, like all other jobs.
   * @default undefined
   */
  readonly runner: RunnerClass | undefined;
  /**
   * Stacks whose `ingressScheme` is `internal`. A review stack's `ingressScheme` is always
   * `internal`.
   */
  readonly stacks: readonly ("prod" | "review" | "staging")[];
} = { runner: undefined, stacks: ["review", "staging", "prod"] };
