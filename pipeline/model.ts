/**
 * Types for the part of CircleCI's configuration that our pipelines use. The keys have the same
 * names as in CircleCI's reference: https://circleci.com/docs/reference/configuration-reference/
 */

import type { OrbStep, RunnerClass } from "../config/circleci";

/** One file under `.circleci`. */
export interface Config {
  readonly version: 2.1;
  /** Orbs, such as `namespace/orb@1.2.3`. The key is the orb's name in this file. */
  readonly orbs?: Readonly<Record<string, string>>;
  /**
   * Values that a person or an API call can set at the start of the pipeline. The values are not
   * secret.
   */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  readonly executors: Readonly<Record<string, Executor>>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly workflows: Readonly<Record<string, Workflow>>;
}

export type Parameter =
  | { readonly type: "string"; readonly description: string; readonly default: string }
  | { readonly type: "integer"; readonly description: string; readonly default: number }
  | {
      readonly type: "enum";
      readonly description: string;
      readonly enum: readonly string[];
      readonly default: string;
    };

/**
 * CircleCI's names for sizes of machines: `small` has 1 vCPU and 2 GB, `medium` has 2 vCPU and 4
 * GB, and `large` has 4 vCPU and 8 GB.
 */
type ResourceClass = "small" | "medium" | "large";

/** Where the steps of a job run. */
export interface Executor {
  readonly docker: readonly [{ readonly image: string }];
  readonly resource_class: ResourceClass | RunnerClass;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly executor: string;
  /**
   * Environment variables. Untrusted text, such as a branch's name, must be in a variable and never
   * in a command itself, because the shell could run a part of the text.
   */
  readonly environment?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/**
 * When a step runs. By default, a step runs only if all earlier steps succeeded. After a job is
 * canceled, CircleCI runs no further step of the job.
 */
type When = "always" | "on_success" | "on_fail";

interface Run {
  readonly name: string;
  readonly command: string;
  /**
   * If the step prints nothing for this time, such as `40m`, CircleCI kills the step. CircleCI's
   * default of 10m is too short for Pulumi, which may wait for 10 minutes or longer without output.
   */
  readonly no_output_timeout?: string;
  readonly when?: When;
}

export type Step =
  | "checkout"
  | { readonly run: Run }
  | { readonly restore_cache: { readonly name: string; readonly keys: readonly string[] } }
  | {
      readonly save_cache: {
        readonly name: string;
        readonly key: string;
        readonly paths: readonly string[];
      };
    }
  | { readonly attach_workspace: { readonly at: string } }
  | {
      readonly persist_to_workspace: { readonly root: string; readonly paths: readonly string[] };
    }
  | { readonly setup_remote_docker: { readonly version: string } }
  | { readonly store_artifacts: { readonly path: string } }
  | { readonly store_test_results: { readonly path: string } }
  | OrbStep;

/** Statuses of a job that a later job can require. */
type Status = "success" | "failed" | "canceled" | "unauthorized" | "not_run";

export type Requirement = string | Readonly<Record<string, readonly Status[] | "terminal">>;

/** Settings of a job in a workflow. */
export interface Place {
  readonly type?: "approval";
  readonly requires?: readonly Requirement[];
  readonly context?: readonly string[];
  /**
   * Serial group of the job. CircleCI runs only one job of a group at a time, across all pipelines
   * of the organization.
   */
  readonly "serial-group"?: string;
}

export interface Workflow {
  /** Expression that determines whether the workflow runs. */
  readonly when: string;
  readonly jobs: readonly (string | Readonly<Record<string, Place>>)[];
}
