import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxRecord } from "../../../operations/doctor/record";
import type { DeployTarget } from "../../../operations/deploy/target";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";
import { stackOf } from "../../../operations/stacks/review-stack";
import type { Settings } from "../../../settings";

/**
 * Stand-ins for pulumi, kubectl and other programs, in a separate directory that is first in the
 * PATH. The stand-ins record their calls.
 */
export class Programs {
  readonly directory = mkdtempSync(join(tmpdir(), "services-orders-programs-"));
  readonly #calls = join(this.directory, "calls");

  constructor() {
    writeFileSync(join(this.directory, "Pulumi.yaml"), "name: services-orders\n");
  }

  /**
   * Adds a program.
   *
   * @param answers shell commands by pattern. The program runs the command of the first pattern
   *   that matches its arguments, as in the shell's `case`. If a pattern has two commands, the
   *   first call that matches the pattern runs the first command. Every later call that matches the
   *   pattern runs the second command. A call that matches no pattern prints nothing and succeeds.
   */
  add(name: string, answers: Readonly<Record<string, string | readonly [string, string]>>): void {
    const cases = Object.entries(answers).map(([pattern, answer], index) => {
      const seen = join(this.directory, `${name}-${String(index)}`);
      const [first, then] = typeof answer === "string" ? [answer, answer] : answer;
      return `  ${pattern.replaceAll(" ", "\\ ")}) if [ -e "${seen}" ]; then ${then}; else : > "${seen}"; ${first}; fi;;`;
    });
    const log = `echo "${name} $*" >> "${this.#calls}"`;
    const file = join(this.directory, name);
    writeFileSync(file, ["#!/bin/sh", log, 'case "$*" in', ...cases, "esac", ""].join("\n"));
    chmodSync(file, 0o755);
  }

  /** One line for each call: the program's name and arguments. */
  get calls(): readonly string[] {
    return existsSync(this.#calls) ? readFileSync(this.#calls, "utf8").trim().split("\n") : [];
  }

  /** Name and value of each stack tag that the code has set, in the order of the calls. */
  get tags(): readonly (readonly [string, string])[] {
    return this.calls.flatMap((call) => {
      const [, name, value] = /stack tag set .*-- (\S+) (.*)$/.exec(call) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    });
  }

  workspace(env: Readonly<Record<string, string>> = {}): Workspace {
    const PATH = `${this.directory}:${process.env["PATH"] ?? ""}`;
    const none = { GITHUB_TOKEN: "", RELEASE_IMAGE_REF: "", REVIEW_STACKS_MAX: "" };
    return {
      cwd: this.directory,
      env: { ...none, PATH, PULUMI_BACKEND_URL: "s3://state.example", ...env },
    };
  }

  remove(): void {
    rmSync(this.directory, { force: true, recursive: true });
  }
}

/**
 * A response of kubectl to two kinds of requests. The same text is valid as the namespace
 * `kube-system` of a cluster that the doctor has checked, and as an empty list of objects.
 */
export const kubeSystem = JSON.stringify({
  items: [],
  metadata: { annotations: sandboxRecord(), uid: "here" },
});

/** Returns the target of a deploy: a review stack that does not exist yet. */
export function reviewTarget(workspace: Workspace, more: Partial<DeployTarget> = {}): DeployTarget {
  const release = { branch: "feature/a", commit: "a".repeat(40) };
  return {
    cluster: {
      annotations: sandboxRecord(),
      kubectl: async () => Promise.resolve('{"items":[]}'),
      uid: "here",
    },
    workspace,
    last: undefined,
    // The code under test reads only these settings.
    settings: {
      environment: "review",
      identity: {
        ...{ app: "a", environment: "review", protectedBranch: false },
        ...{ instance: "services-orders-feature-a", service: "services-orders" },
      },
      namespace: "services-orders-feature-a",
      release,
      stack: stackOf(release.branch),
    } as Settings,
    stacks: [],
    ...more,
  };
}
