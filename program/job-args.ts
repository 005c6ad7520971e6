import * as pulumi from "@pulumi/pulumi";
import { durationOptions, isDuration } from "../components/conventions/schedules/durations";
import { duplicates } from "../components/conventions/validation";
import { type Environment, environmentNames, environments } from "../environments";
import { type Job, type JobValues, jobs } from "../jobs";
import type { Settings } from "../settings";

/**
 * Checks the names, the environments and the durations of the jobs in jobs.ts. In each stack, the
 * function checks the values of all environments. So a wrong duration for production stops the
 * program in every stack, for example in `local`.
 *
 * @throws pulumi.RunError with every issue.
 */
export function assertJobs(service: string): void {
  const issues = [...nameIssues(service), ...jobs.flatMap(environmentIssues)];
  if (issues.length === 0) return;
  throw new pulumi.RunError(issues.map((issue) => `jobs.ts: ${issue}.`).join("\n"));
}

/**
 * Two jobs must not have the same name. A job must not have the name of the service, or the name
 * `default`, because a ServiceAccount with each of these names already exists.
 */
function nameIssues(service: string): readonly string[] {
  const names = jobs.map(({ name }) => name);
  return [
    ...duplicates(names).map((name) => `"${name}" must be the name of only one job`),
    ...names
      .filter((name) => [service, "default"].includes(name))
      .map((name) => `"${name}" must not be the name of a job: a ServiceAccount has that name`),
  ].map((issue) => `${issue}; choose another name`);
}

function environmentIssues({ args, environments: values = {}, name }: Job): readonly string[] {
  const known: readonly string[] = environmentNames.filter(
    (environment) => environments[environment].jobs !== "none",
  );
  const unknown = Object.keys(values).filter((environment) => !known.includes(environment));
  const commands = [
    [`job "${name}"`, args] as const,
    ...Object.entries(values).map(
      ([environment, own]) => [`job "${name}", environment "${environment}"`, own.args] as const,
    ),
  ];
  return [
    ...unknown.map(
      (environment) =>
        `job "${name}": environments must not have "${environment}"; use ${known.join(", ")}`,
    ),
    ...commands.flatMap(([where, command = []]) =>
      durationIssues(command).map((issue) => `${where}: ${issue}`),
    ),
  ];
}

/**
 * Returns an issue for each wrong duration. Without this check, the service would refuse a wrong
 * duration only when the job runs.
 */
function durationIssues(args: readonly string[]): readonly string[] {
  return args.flatMap((option, i) => {
    const value = args[i + 1];
    if (!durationOptions.includes(option) || isDuration(value)) return [];
    const got = value === undefined ? "no value" : JSON.stringify(value);
    return [
      `${option} must be a whole number of at most 5 digits and one of s, m, h or d, got ${got}; ` +
        "write a duration such as 48h",
    ];
  });
}

/** A job with the values of one environment. */
interface ResolvedJob extends JobValues {
  readonly name: string;
  readonly suspend: boolean;
}

/**
 * Returns a job with the values of an environment. If the field `environments` of the job contains
 * a value for this environment, this value replaces the job's general value. For `env`, the
 * function merges the two values instead. No other code that creates objects reads the field
 * `environments`.
 */
function resolve({ environments: values = {}, ...job }: Job, environment: Environment) {
  const byEnvironment: { readonly [Name in Environment]?: Partial<JobValues> } = values;
  const own = byEnvironment[environment] ?? {};
  const resolved: ResolvedJob = {
    suspend: environments[environment].jobs === "suspended",
    ...job,
    ...own,
    env: { ...job.env, ...own.env },
  };
  return resolved;
}

/**
 * Returns the args of the jobs in jobs.ts, with the values for the environment of the settings.
 * All code that creates jobs, or that calculates the resources of their pods, calls this function.
 */
export function jobArgs(settings: Settings) {
  const { environment, identity, release, requests } = settings;
  return jobs.map((entry) => {
    const job = resolve(entry, environment);
    return {
      ...{ identity, release, requests },
      ...exportRole(job, settings),
      ...job,
      args: [...job.args, ...exportOutput(job, settings)],
    };
  });
}

const isExport = ({ args }: Pick<Job, "args">): boolean => args[0] === "export";

/**
 * Returns the options with which the command `export` writes to the location in the settings. Empty
 * for other commands, and if the settings contain no location.
 */
function exportOutput(job: Pick<Job, "args">, { exportOutput: uri }: Settings): readonly string[] {
  return uri === undefined || !isExport(job) ? [] : ["--output", uri];
}

/**
 * Returns the IAM role with which the command `export` writes to the location in the settings.
 * Empty for other commands, and if the settings contain no role.
 */
function exportRole(job: Pick<Job, "args">, { exportRoleArn }: Settings): Pick<Job, "iamRoleArn"> {
  return exportRoleArn === undefined || !isExport(job) ? {} : { iamRoleArn: exportRoleArn };
}
