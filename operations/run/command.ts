import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";
import { environments, parseStack, traitsOf } from "../../environments";
import { UserError, WrongUse } from "../../lib/errors";
import { hours } from "../../lib/time";
import { person } from "../clients/git";
import { type StartingCluster, isForbidden } from "../clients/kubectl";
import { connectToCluster } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { confirmProtected } from "../stacks/confirm-protected";
import { type ApprovalOptions, assertApproved, saveShown } from "../stacks/approval";
import { withoutRelease } from "../stacks/release";
import { assertStackName } from "../stacks/stack-name";
import { type End, type Where, follow, notComplete } from "./follow";
import { type PodTemplate, type Request, annotationsOf, jobOf, lineOf, nameOf } from "./job";
import { toStandardOutput } from "./standard-output";

export interface RunOptions extends ApprovalOptions {
  /**
   * Longest time from the creation of the Job until the caller has received the whole output, such
   * as `30m`. After this time, Kubernetes stops the Job. At most 24 hours.
   *
   * @default "1h"
   */
  readonly deadline?: string;
  /**
   * Name of a Job that an earlier `npm run run` has created. With this option, the function waits
   * for this Job, and does not create a Job.
   */
  readonly follow?: string;
  /**
   * File for the output. The function creates this file only when the output is complete.
   *
   * @default - standard output
   */
  readonly output?: string;
  /** Why the person runs the command. Required for production. */
  readonly reason?: string;
  /** Whether to skip the confirmation. */
  readonly yes?: boolean;
}

/** Longest deadline, in hours. */
const mostHours = 24;

/**
 * `npm run run -- STACK -- ARGS...`: runs one command of the service in a Kubernetes Job, and waits
 * until the command ends. The command's output goes to standard output or to the file in `output`.
 * The command's log messages go to standard error.
 *
 * Sets the exit code of this process to the exit code of the command. The exit code is 125 if the
 * command did not begin, or if the caller has not received the whole output.
 *
 * @throws WrongUse if the arguments are wrong.
 * @throws UserError if the function cannot create or find the Job. In this case, the function has
 * changed nothing.
 */
export async function run(
  stack: string,
  args: readonly string[],
  options: RunOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const request = await requestOf(stack, args, options, given);
  const shown = shownOf(stack, request);
  if (options.preview !== undefined) {
    console.error(`Stack ${stack} ${shown.headline}`);
    saveShown(options.preview, shown);
    return;
  }
  if (options.approved !== undefined) assertApproved(options.approved, shown);
  const workspace = withoutRelease(given);
  const settings = await settingsOf(stack, workspace);
  const { identity, namespace } = settings;
  const cluster = await connectToCluster(settings, workspace);
  if (options.follow !== undefined) {
    const name = await existing(options.follow, namespace, cluster);
    await toItsEnd(stack, { cluster, name, namespace }, options.output);
    return;
  }
  const template = await templateOf(stack, identity.service, namespace, cluster);
  const name = nameOf("run", args[0] ?? "");
  console.error(
    `Stack ${stack}, namespace ${namespace}: runs "${lineOf(args)}" of ${imageOf(template)} as Job ${name}`,
  );
  await confirmProtected(stack, options.yes === true, "run the command in stack");
  await create(jobOf(name, template, request), namespace, cluster);
  await toItsEnd(stack, { cluster, name, namespace }, options.output);
}

/**
 * @throws WrongUse if the options are wrong, or if a command for production has no approval or no
 * reason
 */
async function requestOf(
  stack: string,
  args: readonly string[],
  { approved, deadline = "1h", follow: followed, preview, reason }: RunOptions,
  workspace: Workspace,
): Promise<Request> {
  if ((args.length === 0) === (followed === undefined)) {
    throw new WrongUse(
      `Write either a command of the service, or --follow with the name of a Job. Example: npm run run -- ${stack} -- export --since 1d --format csv`,
    );
  }
  if (hours(deadline) > mostHours) {
    throw new WrongUse(`--deadline must be at most ${String(mostHours)}h, got "${deadline}".`);
  }
  const environment = parseStack(stack)?.environment;
  if (environment !== undefined && environments[environment].jobs === "none") {
    throw new WrongUse(
      `Stack "${stack}" runs no commands, because it has only the pods of a canary. Nothing was changed.`,
    );
  }
  const isProduction = traitsOf(stack)?.protect === true;
  if (isProduction && approved === undefined && preview === undefined && followed === undefined) {
    throw new WrongUse(
      "In production, only a pipeline creates Jobs. In CircleCI, start the pipeline recover with the action run-prod. The pipeline asks for an approval, and keeps the output as an artifact. Nothing was changed.",
    );
  }
  if (isProduction && followed === undefined && reason === undefined) {
    throw new WrongUse("In production, a command needs --reason. Nothing was changed.");
  }
  const deadlineSeconds = Math.round(hours(deadline) * 3600);
  return { args, deadlineSeconds, reason, who: await person(workspace) };
}

function shownOf(stack: string, { args, deadlineSeconds, reason }: Request) {
  const line = lineOf(args);
  const why = reason === undefined ? "" : `: ${reason}`;
  const minutes = String(Math.round(deadlineSeconds / 60));
  return {
    headline: `would run "${line}" for at most ${minutes} min${why}`,
    stack,
    subjects: [JSON.stringify({ args, deadlineSeconds, reason })],
  };
}

const imageOf = ({ template }: PodTemplate): string =>
  template.spec.containers[0]?.image.replace(/^.*@sha256:(.{12}).*$/, "image $1") ?? "no image";

/**
 * @throws UserError if the namespace has no PodTemplate for commands
 */
async function templateOf(
  stack: string,
  name: string,
  namespace: string,
  { kubectl }: StartingCluster,
): Promise<PodTemplate> {
  const args = ["get", "podtemplate", name, "--ignore-not-found", "--output", "json"];
  const answer = await kubectl(["--namespace", namespace, ...args], 30_000).catch(notAllowed);
  if (answer.trim() !== "") return JSON.parse(answer) as PodTemplate;
  const deploy = stack === "local" ? "npm run up" : `npm run deploy -- ${stack}`;
  throw new UserError(
    `Namespace ${namespace} has no PodTemplate "${name}". The command "npm run run" needs this PodTemplate to create a Job. Deploy the stack first: ${deploy}. Nothing was changed.`,
  );
}

/**
 * @throws UserError if `npm run run` has not created a Job with this name
 */
async function existing(
  name: string,
  namespace: string,
  { kubectl }: StartingCluster,
): Promise<string> {
  const key = annotationsOf.command.replaceAll(".", "\\.");
  const args = ["get", "job", name, "--ignore-not-found"];
  const path = ["--output", `jsonpath={.metadata.annotations.${key}}`];
  const line = await kubectl(["--namespace", namespace, ...args, ...path], 30_000);
  if (line !== "") {
    console.error(`Job ${name} runs "${line}".`);
    return name;
  }
  throw new UserError(
    `Namespace ${namespace} has no Job "${name}" that npm run run has created. To list the Jobs: kubectl -n ${namespace} get jobs`,
  );
}

async function create(job: object, namespace: string, cluster: StartingCluster): Promise<void> {
  const args = ["--namespace", namespace, "create", "--filename", "-"];
  await cluster.kubectl(args, 30_000, JSON.stringify(job)).catch(notAllowed);
}

function notAllowed(error: unknown): never {
  if (!isForbidden(error)) throw error;
  throw new UserError(
    `Your role has no permission to run commands in this stack. ${error instanceof Error ? error.message : ""}`,
  );
}

/** Waits until a command ends, and sets the exit code of this process. */
async function toItsEnd(stack: string, where: Where, file: string | undefined): Promise<void> {
  const { cluster, name, namespace } = where;
  const again = `npm run --silent run -- ${stack} --follow ${name}`;
  const onStop = (): void => {
    console.error(`\nJob ${name} continues. To get its output: ${again}`);
    process.exit(130);
  };
  process.once("SIGINT", onStop);
  process.once("SIGTERM", onStop);
  try {
    const end = await followInto(file, where);
    console.error(`Job ${name}: ${end.says}`);
    process.exitCode = end.code;
    if (end.began) return;
    // Without this deletion, the command could begin later, when no one waits for the output of the
    // command.
    await cluster.kubectl(
      ["--namespace", namespace, "delete", "job", name, "--wait=false"],
      30_000,
    );
    console.error(`Job ${name} was deleted, so that the command does not start later.`);
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nJob ${name} may still run. To get its output: ${again}`,
    );
    process.exitCode = notComplete;
  } finally {
    process.off("SIGINT", onStop);
    process.off("SIGTERM", onStop);
  }
}

/** Waits until a command ends, and writes its output to a file or to standard output. */
async function followInto(file: string | undefined, where: Where): Promise<End> {
  if (file === undefined) return follow(where, toStandardOutput);
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  writeFileSync(part, "");
  const end = await follow(where, async (bytes) => appendFile(part, bytes));
  if (end.code !== notComplete) renameSync(part, file);
  return end;
}
