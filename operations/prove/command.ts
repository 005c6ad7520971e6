import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { service } from "../../config/service";
import { confirm } from "../../lib/confirm";
import { UserError, WrongUse } from "../../lib/errors";
import { type Report, checkCluster } from "../doctor/platform";
import {
  type Assertion,
  exitCode,
  lines,
  type Outcome,
  outcomesOf,
  record,
  recordFile,
  type Service,
} from "./assertions";
import { newRepository, seenInAws } from "./aws";
import { awsAssertions } from "./aws-assertions";
import { circleciAssertions } from "./circleci-assertions";
import { proofPipeline } from "./circleci-pipeline";
import { seenInCircleci } from "./circleci";
import { eksAssertions } from "./eks-assertions";

export interface ProveOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Prints the outcomes as JSON. */
  readonly json?: boolean;
  /** File into which the command writes the outcomes. @default recordFile */
  readonly record?: string;
}

export interface CircleciOptions extends ProveOptions {
  /** Id of the workflow in which a person reran a job with SSH. */
  readonly rerun?: string;
  /**
   * File into which the command writes the pipeline's configuration. With this option, the command
   * does not call CircleCI.
   */
  readonly write?: string;
}

/**
 * `npm run prove -- circleci`: writes the configuration of a small pipeline to a file, or reads the
 * results of this pipeline from CircleCI and checks the assumptions about CircleCI. The command
 * changes nothing in CircleCI. A person starts the pipeline.
 *
 * @returns the exit code: 0 if `write` is set or everything is proven, 3 if something differs or is
 * open.
 */
export async function proveCircleci(
  workflow: string | undefined,
  { env = process.env, rerun, write, ...options }: CircleciOptions = {},
): Promise<number> {
  if (write !== undefined) {
    const file = resolve(write);
    if (existsSync(file)) {
      throw new WrongUse(`${file} already exists. Choose another file. Nothing was changed.`);
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, proofPipeline());
    console.log(`Written: ${file}. docs/trust.md says how to start the pipeline.`);
    return 0;
  }
  if (workflow === undefined) {
    throw new WrongUse(
      "give the id of the workflow, or --write FILE to write the configuration of the pipeline",
    );
  }
  say(options, "Reads the workflow, its jobs and their artifacts through CircleCI's API.");
  say(options, `Leaves nothing in CircleCI. Writes ${options.record ?? recordFile}.`);
  const seen = await seenInCircleci(workflow, rerun, env);
  return finish("circleci", circleciAssertions, seen, options);
}

export interface AwsOptions extends Omit<ProveOptions, "env"> {
  readonly env?: Readonly<Record<string, string>>;
  /** Repository whose settings the command checks. @default the service's repository */
  readonly repository?: string;
  readonly yes?: boolean;
}

/**
 * `npm run prove -- aws`: creates a temporary ECR repository, pushes images to the repository,
 * deletes the repository, and checks the assumptions about AWS. In a CircleCI job, the command also
 * finds out which roles the job can assume with its token.
 *
 * @returns the exit code: 0 if everything is proven, 3 if something differs or is open.
 */
export async function proveAws({
  env = {},
  repository = service,
  yes = false,
  ...options
}: AwsOptions = {}): Promise<number> {
  const temporary = newRepository(repository);
  say(options, `Reads the repository ${repository}. Creates the repository ${temporary}, pushes`);
  say(
    options,
    "images of a few bytes, and deletes this repository. In a CircleCI job, assumes the",
  );
  say(options, "roles of the jobs, but does not use them. The sessions end after an hour.");
  say(options, `Leaves nothing else in AWS. Writes ${options.record ?? recordFile}.`);
  await confirmed(temporary, yes);
  return finish("aws", awsAssertions, await seenInAws(repository, temporary, env), options);
}

export interface EksOptions extends Omit<ProveOptions, "env"> {
  /** Function that checks the cluster. @default - the checks of `npm run doctor -- platform` */
  readonly check?: (context: string | undefined) => Promise<Report>;
  /** Context of the kubeconfig. @default - the current context */
  readonly context?: string;
  readonly yes?: boolean;
}

/**
 * `npm run prove -- eks`: runs the checks of `npm run doctor -- platform` for a cluster. From the
 * results, the command determines whether the assumptions about EKS are true, and records the
 * outcomes.
 *
 * @returns the exit code: 0 if everything is proven, 3 if something differs or is open.
 * @throws UserError if the cluster does not answer
 */
export async function proveEks({
  check = checkCluster,
  context,
  yes = false,
  ...options
}: EksOptions = {}): Promise<number> {
  const where = context === undefined ? "the current context" : `context ${context}`;
  say(options, `Starts two small pods in a new namespace in the cluster of ${where}, and deletes`);
  say(options, "this namespace. Writes into an annotation of the namespace kube-system whether");
  say(
    options,
    `network policies hold. Leaves nothing else. Writes ${options.record ?? recordFile}.`,
  );
  await confirmed(context ?? "eks", yes);
  const { error, rows } = await check(context);
  if (error !== undefined) throw new UserError(error);
  return finish("eks", eksAssertions, rows, options);
}

/** Asks for confirmation. @throws WrongUse if there is no terminal and `yes` is false */
async function confirmed(what: string, yes: boolean): Promise<void> {
  if (!yes && !process.stdin.isTTY) {
    throw new WrongUse("No terminal to confirm on. Pass --yes. Nothing was changed.");
  }
  await confirm(what, yes);
}

/** Prints a line if the output is not JSON. */
function say({ json = false }: ProveOptions, line: string): void {
  if (!json) console.log(line);
}

/** Checks the assertions, prints and records the outcomes, and returns the exit code. */
function finish<Seen>(
  of: Service,
  assertions: readonly Assertion<Seen>[],
  seen: Seen,
  options: ProveOptions,
): number {
  const outcomes: readonly Outcome[] = outcomesOf(assertions, seen);
  record(of, outcomes, options.record);
  if (options.json === true) console.log(JSON.stringify(outcomes, null, 2));
  for (const line of lines(outcomes)) say(options, line);
  return exitCode(outcomes);
}
