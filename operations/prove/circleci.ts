import { UserError } from "../../lib/errors";
import { WrongUse } from "../../lib/errors";
import type { JobReport, SeenCircleci, SeenJob, SeenWorkflow } from "./circleci-assertions";
import { seenDirectory } from "./circleci-pipeline";

const TIMEOUT_MS = 15_000;

/** The address of CircleCI's API, and a personal token. */
interface Api {
  readonly token: string;
  readonly url: string;
}

/**
 * Reads the address of CircleCI's API and the token from the environment variables.
 *
 * @throws WrongUse if the variable with the token is not set
 */
function apiFrom(env: Readonly<Record<string, string | undefined>>): Api {
  const { CIRCLE_API_URL: url = "https://circleci.com/api/v2", CIRCLE_TOKEN: token = "" } = env;
  if (token === "") {
    throw new WrongUse("set CIRCLE_TOKEN to a personal API token of CircleCI (User Settings)");
  }
  return { token, url: url.replace(/\/+$/, "") };
}

async function get<T>({ token, url }: Api, path: string): Promise<T> {
  const address = path.startsWith("http") ? path : `${url}${path}`;
  const response = await fetch(address, {
    headers: { "Circle-Token": token },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new UserError(`${address} does not answer: ${String(error)}`);
  });
  if (!response.ok) throw new UserError(`${address} answers ${String(response.status)}`);
  return (await response.json()) as T;
}

interface ApiJob {
  readonly approved_by?: string;
  readonly job_number?: number;
  readonly name: string;
  readonly started_at?: string | null;
  readonly status: string;
  readonly stopped_at?: string | null;
}

/**
 * Reads a workflow of the pipeline that `proofPipeline` describes, and the reports of the
 * workflow's jobs. The workflow has fewer than ten jobs. So the function reads only the first page
 * of each response of the API.
 *
 * @see https://circleci.com/docs/api/v2/
 */
async function workflow(id: string, api: Api): Promise<SeenWorkflow> {
  const about = await get<{ project_slug: string; started_by: string }>(api, `/workflow/${id}`);
  const slug = about.project_slug;
  const project = await get<{ id: string; organization_id: string }>(api, `/project/${slug}`);
  const { items } = await get<{ items: readonly ApiJob[] }>(api, `/workflow/${id}/job`);
  const jobs: Record<string, SeenJob> = {};
  for (const job of items) {
    jobs[job.name] = {
      approvedBy: job.approved_by,
      report: await report(api, slug, job),
      startedAt: job.started_at ?? undefined,
      status: job.status,
      stoppedAt: job.stopped_at ?? undefined,
    };
  }
  return {
    jobs,
    organizationId: project.organization_id,
    projectId: project.id,
    startedBy: about.started_by,
  };
}

async function report(api: Api, slug: string, job: ApiJob): Promise<JobReport | undefined> {
  if (job.job_number === undefined) return undefined;
  const path = `/project/${slug}/${String(job.job_number)}/artifacts`;
  const { items } = await get<{ items: readonly { path: string; url: string }[] }>(api, path);
  const found = items.find((one) => one.path.endsWith(`${seenDirectory}/${job.name}.json`));
  return found === undefined ? undefined : get<JobReport>(api, found.url);
}

/**
 * Reads from CircleCI the results of the pipeline that `proofPipeline` describes. If `rerun` is the
 * id of a workflow in which a person reran a job with SSH, the function also reads the results of
 * that workflow.
 */
export async function seenInCircleci(
  id: string,
  rerun: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SeenCircleci> {
  const api = apiFrom(env);
  return {
    rerun: rerun === undefined ? undefined : await workflow(rerun, api),
    workflow: await workflow(id, api),
  };
}
