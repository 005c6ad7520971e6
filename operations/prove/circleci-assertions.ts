import { type Assertion, differs, equal, open, proven, type Verdict } from "./assertions";

/** The report that a job of the pipeline in `proofPipeline` has written about itself. */
export interface JobReport {
  readonly branch: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly configRef: string;
  /**
   * Content of each file in the job's directory `prove`, such as a file from the workspace or from
   * a cache. The key is the file's name.
   */
  readonly files: Readonly<Record<string, string>>;
}

/** A job, as CircleCI's API returns the job. */
export interface SeenJob {
  readonly approvedBy?: string | undefined;
  readonly report?: JobReport | undefined;
  readonly startedAt?: string | undefined;
  readonly status: string;
  readonly stoppedAt?: string | undefined;
}

export interface SeenWorkflow {
  readonly jobs: Readonly<Record<string, SeenJob>>;
  readonly organizationId: string;
  readonly projectId: string;
  /** Id of the user that started or reran the workflow. */
  readonly startedBy: string;
}

export interface SeenCircleci {
  readonly workflow: SeenWorkflow;
  /** A later workflow of the pipeline. In this later workflow, a person reran a job with SSH. */
  readonly rerun?: SeenWorkflow | undefined;
}

const claim = (name: string): string => `oidc.circleci.com/${name}`;

/**
 * Claims of a job's token. According to CircleCI's documentation, tokens have these claims after
 * every trigger of a pipeline except a custom webhook.
 */
const documented = [
  ...["aud", "exp", "iat", "iss", "sub"],
  ...["context-ids", "job-id", "org-id", "pipeline-definition-id", "pipeline-id"].map(claim),
  ...["project-id", "ssh-rerun", "vcs-origin", "vcs-ref", "workflow-id"].map(claim),
];

/**
 * Returns a check that uses the report of one job. The result of the check is "open" if this job
 * has left no report.
 */
const of =
  (job: string, check: (report: JobReport, seen: SeenWorkflow) => Verdict) =>
  ({ workflow }: SeenCircleci): Verdict => {
    const report = workflow.jobs[job]?.report;
    const status = workflow.jobs[job]?.status ?? "no such job";
    return report === undefined
      ? open(`job "${job}" left no report (${status})`)
      : check(report, workflow);
  };

const userIn = (sub: unknown): string | undefined =>
  /\/user\/([^/]+)/.exec(typeof sub === "string" ? sub : "")?.[1];

/**
 * The assumptions about CircleCI. The assumptions must also be true for the simulation of CircleCI
 * in pipeline/run.
 */
export const circleciAssertions: readonly Assertion<SeenCircleci>[] = [
  {
    check: of("read", ({ files }) => equal(files["newest"], "second")),
    id: "cache-prefix",
    says: "a restore finds the newest cache whose key begins with the given key, even if an older cache has exactly the given key",
  },
  {
    check: of("read", ({ files }) => equal(files["immutable"], "first")),
    id: "cache-immutable",
    says: "a cache never changes: the first job to save a key wins",
  },
  {
    check: of("write", ({ branch, files }) => {
      const { shared } = files;
      if (shared === undefined) return open("start the pipeline again, on another branch");
      return shared === branch ? open(`only branch ${branch} has run the pipeline`) : proven;
    }),
    id: "cache-branches",
    says: "a branch restores a cache that another branch has saved",
  },
  {
    check: of("read", ({ files }) => equal(files["of-write"], "write")),
    id: "workspace-upstream",
    says: "a job sees the files of the jobs before it, also across an approval",
  },
  {
    check: ({ workflow }) => {
      const { parallel, read } = workflow.jobs;
      if (read?.report === undefined) return open('job "read" left no report');
      const [ended, started] = [parallel?.stoppedAt, read.startedAt];
      if (ended === undefined || started === undefined || ended >= started) {
        return open('approve only after job "parallel" has ended');
      }
      return equal(read.report.files["of-parallel"], undefined);
    },
    id: "workspace-parallel",
    says: "a job does not see the files of a job that it does not require",
  },
  {
    check: of("after-failure", ({ files }) => equal(files["of-failing"], "failing")),
    id: "workspace-failed",
    says: "a later job sees the files that a failed job has persisted before it failed",
  },
  {
    check: of("parallel", ({ claims }) =>
      equal(Object.keys(claims).sort(), [...documented].sort()),
    ),
    id: "token-claims",
    says: "a token has the claims that the documentation lists, and no others",
  },
  {
    check: of("parallel", ({ claims }, { organizationId, projectId }) => {
      const user = userIn(claims["sub"]) ?? "";
      const [origin, ref] = ["vcs-origin", "vcs-ref"].map((name) => String(claims[claim(name)]));
      const who = `org/${organizationId}/project/${projectId}/user/${user}`;
      return equal(
        [claims["aud"], claims["iss"], claims[claim("project-id")], claims["sub"]],
        [
          ...[organizationId, `https://oidc.circleci.com/org/${organizationId}`, projectId],
          `${who}/vcs-origin/${String(origin)}/vcs-ref/${String(ref)}`,
        ],
      );
    }),
    id: "token-subject",
    says: "aud, iss, project-id and sub have the values that the trust policies compare",
  },
  {
    check: of("parallel", ({ claims }) =>
      equal(Number(claims["exp"]) - Number(claims["iat"]), 3600),
    ),
    id: "token-hour",
    says: "a token ends after one hour",
  },
  {
    check: ({ workflow: { jobs } }) => {
      const [first, second] = ["parallel", "write"].map(
        (name) => jobs[name]?.report?.claims[claim("job-id")],
      );
      if (first === undefined || second === undefined)
        return open('job "parallel" or job "write" left no report');
      return first === second ? differs("two jobs have the same job-id") : proven;
    },
    id: "token-per-job",
    says: "each job has its own token",
  },
  {
    check: of("parallel", ({ claims }, { startedBy }) => equal(userIn(claims["sub"]), startedBy)),
    id: "token-starter",
    says: "before an approval, sub names the user that started the workflow",
  },
  {
    check: of("read", ({ claims }, { jobs }) =>
      equal(userIn(claims["sub"]), jobs["approve"]?.approvedBy),
    ),
    id: "token-approver",
    says: "after an approval, sub names the approver",
  },
  {
    check: of("parallel", ({ branch, claims, configRef }) =>
      configRef === `refs/heads/${branch}`
        ? open(
            "start the pipeline with the configuration of one branch and the checkout of another",
          )
        : equal(claims[claim("vcs-ref")], `refs/heads/${branch}`),
    ),
    id: "token-checkout",
    says: "vcs-ref names the branch of the checkout, not the branch of the configuration",
  },
  {
    check: of("parallel", ({ branch, configRef }, { jobs }) => {
      const isMain = branch === "main" && configRef === "refs/heads/main";
      return equal(jobs["restricted"]?.status, isMain ? "success" : "unauthorized");
    }),
    id: "context-main",
    says: "a context of main refuses every job without the checkout and the configuration of main",
  },
  {
    check: ({ rerun }) => {
      const [report] = Object.values(rerun?.jobs ?? {}).flatMap((job) => job.report ?? []);
      if (rerun === undefined || report === undefined)
        return open('rerun job "parallel" with SSH, and pass the id of the workflow as --rerun');
      const { claims } = report;
      return equal([claims[claim("ssh-rerun")], userIn(claims["sub"])], [true, rerun.startedBy]);
    },
    id: "ssh-token",
    says: "in the token of a rerun with SSH, ssh-rerun is true, and sub names the user that reran the job",
  },
];
