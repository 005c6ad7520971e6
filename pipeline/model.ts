/**
 * The part of CircleCI's configuration that our pipelines use, as types. Keys are CircleCI's own,
 * so that the YAML matches CircleCI's reference:
 * https://circleci.com/docs/reference/configuration-reference/
 */

import type { OrbStep, RunnerClass } from "../config/circleci";

/** One file under `.circleci`. */
export interface Config {
  readonly version: 2.1;
  /** Orbs, such as `namespace/orb@1.2.3`. The key is the orb's name in this file. */
  readonly orbs?: Readonly<Record<string, string>>;
  /**
   * Values that a person or an API call sets when starting the pipeline. The values are not secret.
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

/** Size of the machine, by CircleCI's names: 1, 2, 4 vCPU and 2, 4, 8 GB. */
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
   * Environment variables. Text from outside, such as a branch's name, reaches a command only
   * through a variable, never inside the command itself.
   */
  readonly environment?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/**
 * When a step runs. By default, a step runs only after successful steps. A canceled job runs no
 * more steps.
 */
type When = "always" | "on_success" | "on_fail";

interface Run {
  readonly name: string;
  readonly command: string;
  /**
   * Time without output after which CircleCI kills the step, such as `40m`. The default of 10m is
   * too short, because Pulumi may also wait for 10 minutes without output.
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

/** Results of a job that a later job may wait for. */
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
  /** Expression that decides whether the workflow runs. */
  readonly when: string;
  readonly jobs: readonly (string | Readonly<Record<string, Place>>)[];
}
