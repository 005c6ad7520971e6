import * as pulumi from "@pulumi/pulumi";
import { duplicates } from "../components/conventions/validation";
import { environments } from "../environments";
import { type Job, jobs } from "../jobs";
import type { Settings } from "../settings";

/**
 * Checks the names of the jobs. Two jobs must not have the same name. A job must not have the name
 * of the service, or the name `default`, because a ServiceAccount with that name exists already.
 *
 * @throws pulumi.RunError with every issue.
 */
export function assertJobNames(service: string): void {
  const names = jobs.map(({ name }) => name);
  const issues = [
    ...duplicates(names).map((name) => `"${name}" must be the name of one job`),
    ...names
      .filter((name) => [service, "default"].includes(name))
      .map((name) => `"${name}" must not be the name of a job: a ServiceAccount has that name`),
  ];
  if (issues.length === 0) return;
  throw new pulumi.RunError(
    issues.map((issue) => `jobs.ts: ${issue}; choose another name.`).join("\n"),
  );
}

/**
 * Whether a job is suspended: in the environments in `suspendedIn` or, if the job does not set
 * `suspendedIn`, in the environments that suspend jobs by default.
 */
function isSuspended(
  suspendedIn: Job["suspendedIn"] | undefined,
  { environment }: Settings,
): boolean {
  const byDefault = environments[environment].jobs === "suspended";
  return suspendedIn === undefined ? byDefault : suspendedIn.includes(environment);
}

/** Returns the args of the jobs in jobs.ts, with the values from the settings. */
export function jobArgs(settings: Settings) {
  const { identity, release, requests } = settings;
  return jobs.map(({ suspendedIn, ...job }) => {
    const suspend = isSuspended(suspendedIn, settings);
    return {
      ...{ identity, release, requests, suspend },
      ...exportRole(job, settings),
      ...job,
      args: [...job.args, ...exportOutput(job, settings)],
    };
  });
}

const isExport = ({ args }: Pick<Job, "args">): boolean => args[0] === "export";

/**
 * Returns the options with which the command `export` writes to the location in the settings. Empty
 * for other commands.
 */
function exportOutput(job: Pick<Job, "args">, { exportOutput: uri }: Settings): readonly string[] {
  return uri === undefined || !isExport(job) ? [] : ["--output", uri];
}

/**
 * Returns the IAM role with which the command `export` writes to the location in the settings.
 * Empty for other commands.
 */
function exportRole(job: Pick<Job, "args">, { exportRoleArn }: Settings): Pick<Job, "iamRoleArn"> {
  return exportRoleArn === undefined || !isExport(job) ? {} : { iamRoleArn: exportRoleArn };
}
