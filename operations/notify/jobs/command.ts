import { masked, withoutSecrets } from "../../../components/conventions/secrets/masked";
import { reasonOf } from "../../../lib/command";
import { UserError } from "../../../lib/errors";
import { endOfRun } from "../../jobs/ends";
import { podsOf } from "../../jobs/logs";
import { type ScheduledJobs, readJobs } from "../../jobs/read";
import type { JobStatus } from "../../jobs/runs";
import { secretsOf } from "../../preview/changes/values";
import {
  type Workspace,
  defaultWorkspace,
  stateOfProject,
  variables,
} from "../../pulumi/run-pulumi";
import { assertStackName } from "../../stacks/stack-name";
import { send } from "../slack-webhook";
import { type Memory, nothingRemembered, readMemory, writeMemory } from "./memory";
import { type JobNotice, jobMessage, mostRuns } from "./message";
import { type JobNews, newsOf } from "./news";
import { destinationOf } from "./recipient";

/**
 * `npm run notify -- jobs --stack STACK`: sends messages about failed and missed runs of a stack's
 * jobs to the recipients in `onFailure`. After each message, the command stores the list of
 * reported runs in the state backend. So if someone kills the command, the next run of the command
 * sends only the messages that are still missing.
 *
 * @throws UserError if the command cannot read the cluster, if the command cannot read or write the
 * list of reported runs, if there is no webhook for a message, or if Slack does not accept a
 * message.
 */
export async function notifyJobs(
  stack: string,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const now = new Date();
  const state = stateOfProject(workspace);
  let memory = (await readMemory(stack, state)) ?? nothingRemembered;
  const remember = async (next: Memory): Promise<void> => {
    memory = next;
    await writeMemory(stack, state, next);
  };
  try {
    const told = await tellAll(stack, now, await readJobs(stack, workspace, now), {
      env: variables(workspace),
      memory,
      remember: async (jobs) => remember({ ...memory, jobs }),
    });
    await remember({ jobs: told.jobs, ran: now.toISOString(), version: 1 });
    const { messages } = told;
    console.log(
      messages === 0
        ? `Nothing new about the jobs of ${stack}.`
        : `Sent messages about ${String(messages)} ${messages === 1 ? "job" : "jobs"} of ${stack}.`,
    );
  } catch (error) {
    const trouble = reasonOf(error)
      .replace(/\s*\n\s*/g, " ")
      .slice(0, longestTrouble);
    await remember({ ...memory, trouble });
    throw error;
  }
}

/** Longest text that the notifier stores about its own failure, in characters. */
const longestTrouble = 300;

interface Telling {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly memory: Memory;
  readonly remember: (jobs: Memory["jobs"]) => Promise<void>;
}

/**
 * Sends one message for each job that has `onFailure` and new failed or missed runs. After each
 * message, the function calls `remember` with the runs that the notifier has reported so far.
 *
 * @returns the list of reported runs, and the number of messages
 * @throws UserError with the first failure for each webhook that did not accept a message or is not
 * set
 */
async function tellAll(
  stack: string,
  now: Date,
  read: ScheduledJobs,
  { env, memory, remember }: Telling,
): Promise<{ readonly jobs: Memory["jobs"]; readonly messages: number }> {
  const news = read.jobs.map((job) => ({ job, news: newsOf(job, memory.jobs[job.name], now) }));
  // The new list does not contain jobs that the cluster no longer has.
  const jobs: Record<string, Memory["jobs"][string]> = Object.fromEntries(
    news.flatMap(({ job: { name } }) => {
      const known = memory.jobs[name];
      return known === undefined ? [] : [[name, known]];
    }),
  );
  const failures = new Map<string, string>();
  let messages = 0;
  for (const { job, news: found } of news) {
    if (job.onFailure === undefined) {
      jobs[job.name] = found.then;
      continue;
    }
    const { strayed, webhook = "" } = destinationOf(job.onFailure.tell, env);
    if (webhook === "") {
      failures.set(
        webhook,
        "SLACK_WEBHOOK_URL is not set, so the notifier cannot report a failed job",
      );
    }
    // If Slack does not answer, each message takes up to 17 seconds. So after a failure, the
    // function sends no other message to the same webhook.
    if (failures.has(webhook)) continue;
    if (found.failed.length + found.missed.length > 0) {
      const message = jobMessage(await noticeOf(stack, job, found, read, strayed, secretsOf(env)));
      const warning = await send(webhook, message);
      if (warning !== undefined) {
        failures.set(webhook, `${job.name}: ${warning}`);
        continue;
      }
      messages += 1;
      await remember({ ...jobs, [job.name]: found.then });
    }
    jobs[job.name] = found.then;
  }
  if (failures.size === 0) return { jobs, messages };
  throw new UserError(
    `${[...failures.values()].join("; ")}. The next run sends the messages that this run could not send.`,
  );
}

async function noticeOf(
  stack: string,
  job: JobStatus,
  { failed, missed }: JobNews,
  read: ScheduledJobs,
  strayed: JobNotice["strayed"],
  secrets: readonly string[],
) {
  const safe = (text: string): string => withoutSecrets(masked(text, secrets));
  const ends = await Promise.all(
    failed.map(async (run, i) => ({
      ...run,
      // The message shows at most `mostRuns` failed runs, so the command does not read the pods of
      // the remaining failed runs.
      why: i < mostRuns ? safe(endOfRun(run, await podsOf(run.name, read))) : "",
    })),
  );
  return { failed: ends, job, missed, stack, strayed };
}
