import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../../../pipeline/run/run";
import { uuidOf } from "../../../pipeline/run/token";
import { StandIn } from "./http-stand-in";

/** A workflow that `rehearse` (pipeline/run/run.ts) has run on this machine, and the result. */
export interface Ran {
  readonly approver: string;
  /** Directory with the artifacts of the workflow's jobs. */
  readonly artifacts: string;
  readonly result: Result;
  readonly startedBy: string;
}

/**
 * A stand-in for the requests of CircleCI's API v2 that read a workflow, its project, its jobs with
 * the approver, and the artifacts of the jobs (https://circleci.com/docs/api/v2/). The responses
 * describe the workflows in `ran`.
 *
 * - The only valid token in the header `Circle-Token` is `token`. Otherwise, the response has
 *   status 401.
 * - A job that has not run has no number, no start time and no end time.
 *
 * The stand-in omits: pages of long lists, rate limits, and all requests that change something.
 */
export function circleciApi(ran: Readonly<Record<string, Ran>>): StandIn {
  const json = (body: unknown) => ({ body: JSON.stringify(body), status: 200 });
  const slug = "gh/example/services-orders";
  const number = (workflow: string, job: string): number =>
    Object.keys(ran).indexOf(workflow) * 100 +
    [...(ran[workflow]?.result.keys() ?? [])].indexOf(job);
  const second = (count: number) => new Date(1_700_000_000_000 + count * 1000).toISOString();
  const server: StandIn = new StandIn(({ headers, path }) => {
    if (headers["circle-token"] !== "token") return { status: 401 };
    const [, id = "", kind] = /^\/workflow\/([^/]+)(\/job)?$/.exec(path) ?? [];
    const found = ran[id];
    if (found !== undefined && kind === undefined) {
      return json({ project_slug: slug, started_by: found.startedBy });
    }
    if (found !== undefined) {
      const items = [...found.result].map(([name, { end }], index) => ({
        name,
        status: end === "held" ? "on_hold" : end,
        ...(name === "approve" && end === "success" ? { approved_by: found.approver } : {}),
        ...(existsSync(join(found.artifacts, name))
          ? {
              job_number: number(id, name),
              started_at: second(2 * index),
              stopped_at: second(2 * index + 1),
            }
          : {}),
      }));
      return json({ items });
    }
    if (path === `/project/${slug}`) {
      return json({ id: uuidOf("project service"), organization_id: uuidOf("organization") });
    }
    const [, asked] = new RegExp(`^/project/${slug}/(\\d+)/artifacts$`).exec(path) ?? [];
    const [, artifact] = /^\/artifact\/(.+)$/.exec(path) ?? [];
    if (artifact !== undefined) return { body: readFileSync(`/${artifact}`, "utf8"), status: 200 };
    for (const [workflow, { artifacts, result }] of Object.entries(ran)) {
      const job = [...result.keys()].find((name) => String(number(workflow, name)) === asked);
      if (job === undefined) continue;
      const files = readdirSync(join(artifacts, job), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      return json({
        items: files.map((file) => ({
          path: file,
          url: `http://${headers.host ?? ""}/artifact${file}`,
        })),
      });
    }
    return { status: 404 };
  });
  return server;
}
