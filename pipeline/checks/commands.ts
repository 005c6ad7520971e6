import { longestWaitMinutes } from "../waits";
import type { Finding, Source } from "./source";
import { commandsOf, filledIn, mapping, named, text } from "./shape";

/**
 * CircleCI's environment variables whose text a person can choose, such as the name of a branch.
 */
const outsideVariables = ["CIRCLE_BRANCH", "CIRCLE_PULL_REQUEST", "CIRCLE_TAG", "CIRCLE_USERNAME"];
const storedKeys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const runsPulumi = /\bnpm run (?:canary|deploy|image|preview|promote|review|rollback|sweep)\b/;

/**
 * Yields findings about commands: places where untrusted text could inject code, and a
 * `no_output_timeout` that is too short for Pulumi. Also yields findings about AWS keys in
 * `environment`.
 */
export function* commands(source: Source): Generator<Finding> {
  const jobs = new Map(named(source, "jobs"));
  for (const { job, path, run, text: command } of commandsOf(source)) {
    for (const inside of filledIn(command)) {
      yield source.value(
        path,
        `"<< ${inside} >>" is in a command of "${job}": anyone who chooses this value can run any command; pass the value in "environment"`,
      );
    }
    const ofJob = Object.entries(mapping(jobs.get(job)?.["environment"]))
      .filter(([, value]) => filledIn(text(value)).length > 0)
      .map(([name]) => name);
    for (const name of unquoted(command, [...outsideVariables, ...ofJob])) {
      yield source.value(
        path,
        `$${name} is text from outside, and the shell splits and expands it; write the variable in double quotes: "$${name}"`,
      );
    }
    if (runsPulumi.test(command) && minutes(run["no_output_timeout"]) <= longestWaitMinutes) {
      yield source.value(
        path,
        `"${job}" runs Pulumi, which may wait ${String(longestWaitMinutes)} minutes without output; set no_output_timeout above that`,
      );
    }
  }
  for (const kind of ["executors", "jobs"]) {
    for (const [name, { environment }] of named(source, kind)) {
      for (const variable of storedKeys.filter((key) => key in mapping(environment))) {
        yield source.key(
          [kind, name, "environment", variable],
          `${variable} is a stored key; remove it, and let the job assume an IAM role with the job's own token (AWS_ROLE_ARN in a context)`,
        );
      }
    }
  }
}

/** Returns the variables in `names` that a command uses without quotes. */
function unquoted(command: string, names: readonly string[]): readonly string[] {
  let quote = "";
  const found: string[] = [];
  for (let at = 0; at < command.length; at++) {
    const here = command.charAt(at);
    if (here === "\\" && quote !== "'") at++;
    else if (quote === "" && (here === '"' || here === "'")) quote = here;
    else if (here === quote) quote = "";
    else if (here === "$" && quote === "") {
      const name = /^\$\{?(\w+)/.exec(command.slice(at))?.[1];
      if (name !== undefined && names.includes(name)) found.push(name);
    }
  }
  return found;
}

function minutes(limit: unknown): number {
  const [, count = "10", unit = "m"] = /^(\d+)([smh])$/.exec(text(limit)) ?? [];
  return Number(count) * ({ h: 60, m: 1, s: 1 / 60 }[unit] ?? 1);
}
