import { insideNetwork } from "../config/circleci";
import { service } from "../config/service";
import type { Executor, Job, Step } from "./model";

import { noOutputMinutes } from "./waits";

/** The engine's version is the one of package.json; a test compares them. */
export const pulumiVersion = "3.215.0";

/**
 * Not below the home directory, which differs between the executors: a cache is restored to its
 * original path.
 */
const npmDownloads = "/tmp/npm-cache";

/** Pulumi, Node.js, the AWS CLI, kubectl, Python with pip. */
const pulumi = {
  docker: [{ image: `pulumi/pulumi:${pulumiVersion}` }],
  environment: { npm_config_cache: npmDownloads, PULUMI_SKIP_UPDATE_CHECK: "true" },
  resource_class: "medium",
} as const;

/**
 * All are pinned to a full version. A digest is stricter: append `@sha256:...` from
 * `docker buildx imagetools inspect IMAGE`, and update it with the version.
 */
export const executors = {
  /** Java 17 with Maven, Node.js, git. Runs as a user: PostgreSQL refuses to be started by root. */
  java: {
    docker: [{ image: "cimg/openjdk:17.0.14-node" }],
    environment: { npm_config_cache: npmDownloads },
    resource_class: "medium",
  },
  pulumi,
  /** The same, in a place that can reach addresses inside the company's network. */
  "inside-network": { ...pulumi, resource_class: insideNetwork.runner ?? pulumi.resource_class },
} as const satisfies Readonly<Record<string, Executor>>;

/**
 * Where commands write what later jobs read: digest, previews, what was deployed, why it failed.
 */
export const reports = "reports";
/** Where commands write how they ended, for CircleCI's tab of tests. */
const testResults = "test-results";
const jars = "service/target/image";
/**
 * The release for production, in `export` lines, so that the deployed release is the approved one.
 */
export const releaseFile = `${reports}/release.env`;

/** Prefix of the steps that only prepare CircleCI's machine; local runs skip them. */
export const machineOnly = "CircleCI's machine: ";

const npmCache = 'npm-v1-{{ checksum "package-lock.json" }}';
const mavenCache = 'maven-branches-v1-{{ checksum "service/pom.xml" }}';

/** A job: one command that a person can also run, and what it needs. */
export interface JobSpec {
  readonly command: string;
  /** @default "pulumi" */
  readonly executor?: keyof typeof executors;
  /** Has a Docker engine with a builder for several platforms. */
  readonly docker?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Attaches the jars and reports of earlier jobs. */
  readonly takes?: boolean;
  /** Runs with the release from `promote`, as variables. */
  readonly released?: boolean;
  /** Persists jars or reports for later jobs. */
  readonly gives?: "jars" | "reports";
  /** Hands on its report, also after a failure, for the job that sends the message. */
  readonly keepsReport?: boolean;
  /** Reads the report that this job handed on. */
  readonly reportOf?: string;
  /**
   * Keeps this file for the next pipeline, in a cache: it may be lost. Any branch can write it too,
   * so a job with a role must not have it, and the command checks everything in it.
   */
  readonly remembers?: string;
  /**
   * Keeps Maven's downloads. They are not verified, so `main` must not use what a branch has
   * stored.
   */
  readonly mavenCache?: boolean;
  /** Keeps npm's downloads. The lock file verifies them. */
  readonly keepsNpmCache?: boolean;
  readonly testResults?: string;
  /** The company's own steps, after the command. */
  readonly more?: readonly Step[];
}

/** What the contexts of a job allow. */
interface Rights {
  /** Whether it assumes the IAM role of its context. */
  readonly assumesRole: boolean;
  /** Whether the cluster knows it by its role only: it takes the tokens of one project. */
  readonly inDeployProject: boolean;
  /** Whether it has a right that no branch's own code may have. It then restores no cache. */
  readonly mainOnly: boolean;
}

/**
 * A job with its steps.
 *
 * @throws Error for a job with a role that restores a cache that any branch can write
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
      // Any branch can write it, and CircleCI restores every path that is in it.
      ...(mainOnly ? [] : [restore("npm's downloads", npmCache)]),
      ...(spec.mavenCache === true ? [restore("Maven's downloads", mavenCache)] : []),
      // Before the report, which it must not replace.
      ...(remembers === undefined ? [] : [restore("Memory", memoryKey(name))]),
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
      // A cache never changes: each run writes a new one, and the newest is restored.
      ...(remembers === undefined
        ? []
        : [save("Memory", `${memoryKey(name)}${workflowId}`, [remembers])]),
      ...(gives === "reports" || keepsReport
        ? [{ store_artifacts: { path: reports } }, { store_test_results: { path: testResults } }]
        : []),
      ...(keepsReport ? [result] : []),
    ],
  };
}

/**
 * A failed job persists nothing to the workspace, and a cache can be written by any branch. So the
 * command only records how it ended, and the last step of the job ends like it. The empty file is
 * there because a command may write no report, and CircleCI refuses to persist nothing.
 */
export const recorded = ` || echo "export EXIT_CODE=$?" >> "$BASH_ENV"; mkdir -p ${reports}; touch ${reports}/ended`;

const result: Step = {
  run: { command: 'exit "${EXIT_CODE:-0}"', name: "The result of the command" },
};

/** Less foreign code in a job with rights: all that it runs is a dependency of the project. */
const fewPackages = { npm_config_omit: "dev" };

const workflowId = "{{ .Environment.CIRCLE_WORKFLOW_ID }}";

/** The beginning of the keys of a job's memory. CircleCI restores the newest with this prefix. */
const memoryKey = (name: string): string => `memory-${name}-v1-`;

function restore(name: string, key: string): Step {
  return { restore_cache: { keys: [key], name } };
}

function save(name: string, key: string, paths: readonly string[]): Step {
  return { save_cache: { key, name, paths } };
}

/**
 * The job's own token in a file: every AWS client assumes the role of `AWS_ROLE_ARN` with it, and
 * does so again before the session ends. No key is stored. The token is valid for an hour, and so
 * is a session that starts at its end.
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

/** Docker's plain builder cannot push several platforms. */
const builder: readonly Step[] = [
  { setup_remote_docker: { version: "docker27" } },
  {
    run: {
      command: `docker buildx create --name ${service} --driver docker-container --use`,
      name: `${machineOnly}builder for several platforms`,
    },
  },
];
