import { executorImages, insideNetwork } from "../config/circleci";
import { service } from "../config/service";
import type { Executor, Job, Step } from "./model";

import { noOutputMinutes } from "./waits";

/**
 * Directory of npm's downloads. CircleCI restores a cache to its original path, and the home
 * directory is different in each executor's image. So this directory is not below the home
 * directory.
 */
const npmDownloads = "/tmp/npm-cache";

const pulumi = {
  docker: [{ image: executorImages.pulumi }],
  environment: { npm_config_cache: npmDownloads, PULUMI_SKIP_UPDATE_CHECK: "true" },
  resource_class: "medium",
} as const;

/** All executors. */
export const executors = {
  java: {
    docker: [{ image: executorImages.java }],
    environment: { npm_config_cache: npmDownloads },
    resource_class: "medium",
  },
  pulumi,
  /**
   * The executor `pulumi` on a runner that can connect to addresses inside the company's network.
   */
  "inside-network": { ...pulumi, resource_class: insideNetwork.runner ?? pulumi.resource_class },
} as const satisfies Readonly<Record<string, Executor>>;

/**
 * Directory of the files that commands write for later jobs, such as previews, the deployed
 * release, and the cause of a failure.
 */
export const reports = "reports";
/** Directory of the commands' results, for CircleCI's Tests tab. */
const testResults = "test-results";
const jars = "service/target/image";
/**
 * File with shell commands (`export`) that set the promoted release as environment variables. With
 * these variables, the later jobs preview and deploy exactly this release.
 */
export const releaseFile = `${reports}/release.env`;

/**
 * Prefix of the names of steps that only prepare CircleCI's machine. Local runs skip these steps.
 */
export const machineOnly = "CircleCI's machine: ";

const npmCache = 'npm-v1-{{ checksum "package-lock.json" }}';
const mavenCache = 'maven-branches-v1-{{ checksum "service/pom.xml" }}';

/**
 * Description of a job: one command, which a person can also run by hand, and what this command
 * needs in CircleCI.
 */
export interface JobSpec {
  readonly command: string;
  /** @default "pulumi" */
  readonly executor?: keyof typeof executors;
  /** Whether the job needs a Docker engine with a builder for several platforms. */
  readonly docker?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the job attaches the jars and reports of earlier jobs. */
  readonly takes?: boolean;
  /** Whether the job gets environment variables with the release that `npm run promote` chose. */
  readonly released?: boolean;
  /** Files that the job persists for later jobs. */
  readonly gives?: "jars" | "reports";
  /**
   * Whether the job persists its report, even after a failure. A later job reads the report and
   * sends a message.
   */
  readonly keepsReport?: boolean;
  /** Name of the job whose report this job reads. */
  readonly reportOf?: string;
  /**
   * File that the job keeps for the next pipeline, in a cache. CircleCI may delete the cache, and
   * the jobs of any branch can write to the cache. So a job with an IAM role must not use this
   * option. The command of a job with this option must check everything that the command reads from
   * the file.
   */
  readonly remembers?: string;
  /**
   * Whether the job caches Maven's downloads. The jobs of any branch may have written to this
   * cache, so jobs of `main` must not use the cache.
   */
  readonly mavenCache?: boolean;
  /**
   * Whether the job saves npm's downloads in a cache. npm verifies the downloads with the lock
   * file.
   */
  readonly keepsNpmCache?: boolean;
  /**
   * Whether a later job with permissions uses what this job builds. If true, this job restores no
   * npm cache and installs no development dependencies.
   */
  readonly trusted?: boolean;
  readonly testResults?: string;
  /** The company's own steps, which run after the job's command. */
  readonly more?: readonly Step[];
}

/** Facts about a job's permissions, which depend on its contexts and its project. */
interface Rights {
  /** Whether the job assumes the IAM role of its context. */
  readonly assumesRole: boolean;
  /**
   * Whether the job runs in the deploy project. The cluster identifies a job of the deploy project
   * by the job's IAM role, because the cluster accepts CircleCI's tokens only from jobs of the
   * service's own project.
   */
  readonly inDeployProject: boolean;
  /**
   * Whether the code of a branch must not influence the job. True in three cases: this job has a
   * context that is only for main, a job with such a context uses the output of this job, or this
   * job runs in the deploy project. If true, the job does not restore the cache with npm's
   * downloads, to which the jobs of branches can write.
   */
  readonly mainOnly: boolean;
}

/**
 * Returns a job with its steps.
 *
 * @throws Error if a job with an IAM role has `remembers`, because any branch can write to the
 * cache with that file
 */
export function job(
  name: string,
  spec: JobSpec,
  { assumesRole, inDeployProject, mainOnly }: Rights,
): Job {
  const { executor = "pulumi", gives, keepsReport = false, remembers } = spec;
  const environment = {
    ...(mainOnly ? fewPackages : {}),
    ...(inDeployProject ? { CLUSTER_IDENTITY: "aws" } : {}),
    ...spec.environment,
  };
  if (assumesRole && remembers !== undefined) {
    throw new Error(`job "${name}" has a role, so it must not restore what any branch can write`);
  }
  return {
    executor,
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    steps: [
      "checkout",
      // The jobs of any branch can write to this cache. The cache may contain any path, and
      // CircleCI restores all of these paths.
      ...(mainOnly ? [] : [restore("npm's downloads", npmCache)]),
      ...(spec.mavenCache === true ? [restore("Maven's downloads", mavenCache)] : []),
      // This step comes before the step that attaches the reports, so that the cache cannot replace
      // a report.
      ...(remembers === undefined ? [] : [restore("File of the last run", memoryKey(name))]),
      ...(spec.takes === true || spec.reportOf !== undefined
        ? [{ attach_workspace: { at: "." } }]
        : []),
      ...(assumesRole ? [assumeRole] : []),
      ...(spec.docker === true ? builder : []),
      ...(spec.released === true ? [promotedRelease] : []),
      {
        run: {
          command: keepsReport ? `${spec.command}${recorded}` : spec.command,
          name: spec.command,
          no_output_timeout: `${String(noOutputMinutes)}m`,
        },
      },
      ...(spec.more ?? []),
      ...(spec.testResults === undefined
        ? []
        : [{ store_test_results: { path: spec.testResults } }]),
      ...(spec.keepsNpmCache === true
        ? [save("npm's downloads", npmCache, [`${npmDownloads}/_cacache`])]
        : []),
      ...(spec.mavenCache === true
        ? [save("Maven's downloads", mavenCache, ["~/.m2/repository"])]
        : []),
      ...(gives === undefined && !keepsReport
        ? []
        : [{ persist_to_workspace: { paths: [gives === "jars" ? jars : reports], root: "." } }]),
      // CircleCI never changes a cache, so each run saves a new cache. The next run restores the
      // newest cache.
      ...(remembers === undefined
        ? []
        : [save("File for the next run", `${memoryKey(name)}${workflowId}`, [remembers])]),
      ...(gives === "reports" || keepsReport
        ? [{ store_artifacts: { path: reports } }, { store_test_results: { path: testResults } }]
        : []),
      ...(keepsReport ? [result] : []),
    ],
  };
}

/**
 * Shell code after a command. If the command fails, the code records the exit code, and the job
 * continues. If the job failed at this step, the job would persist no report to the workspace. A
 * cache cannot replace the workspace, because the jobs of any branch can write to a cache. The
 * job's last step ends with the recorded exit code. The code also creates an empty file: some
 * commands do not write a report, and a job fails if there is no file to persist.
 */
export const recorded = ` || echo "export EXIT_CODE=$?" >> "$BASH_ENV"; mkdir -p ${reports}; touch ${reports}/ended`;

const result: Step = {
  run: { command: 'exit "${EXIT_CODE:-0}"', name: "The result of the command" },
};

/**
 * Makes npm leave out development dependencies, so that a job with permissions runs less
 * third-party code.
 */
const fewPackages = { npm_config_omit: "dev" };

const workflowId = "{{ .Environment.CIRCLE_WORKFLOW_ID }}";

/**
 * Returns the prefix of the cache keys for the file in `remembers`. CircleCI restores the newest
 * cache whose key has this prefix.
 */
const memoryKey = (name: string): string => `memory-${name}-v1-`;

function restore(name: string, key: string): Step {
  return { restore_cache: { keys: [key], name } };
}

function save(name: string, key: string, paths: readonly string[]): Step {
  return { save_cache: { key, name, paths } };
}

/**
 * Step that writes the job's own token into a file. With the token, every AWS client assumes the
 * role in `AWS_ROLE_ARN`, and assumes the role again before the session ends. So CircleCI stores no
 * AWS key. The token is valid for an hour. A session that starts just before the token expires is
 * valid for another hour.
 */
const assumeRole: Step = {
  run: {
    command: [
      "token=$(mktemp)",
      'printf "%s" "$CIRCLE_OIDC_TOKEN_V2" > "$token"',
      'echo "export AWS_WEB_IDENTITY_TOKEN_FILE=$token" >> "$BASH_ENV"',
      'echo "export AWS_ROLE_SESSION_NAME=$CIRCLE_JOB" >> "$BASH_ENV"',
      "",
    ].join("\n"),
    name: `${machineOnly}AWS role by the job's own token`,
  },
};

const promotedRelease: Step = {
  run: { command: `cat ${releaseFile} >> "$BASH_ENV"`, name: "The release that was promoted" },
};

/**
 * Steps that create a builder, because Docker's default builder cannot push an image for several
 * platforms.
 */
const builder: readonly Step[] = [
  { setup_remote_docker: { version: "docker27" } },
  {
    run: {
      command: `docker buildx create --name ${service} --driver docker-container --use`,
      name: `${machineOnly}builder for several platforms`,
    },
  },
];
