import { Obstacles } from "../../components/conventions/rollout/obstacles";
import type { Pod } from "../clients/kubectl";

/** Exit code if no container of a Job could start. `docker run` uses the same exit code. */
export const notBegun = 125;

/**
 * If Kubernetes has not created a pod for a Job after this number of milliseconds, the command
 * stops waiting. The usual cause is a quota or a policy that does not allow the pod.
 */
const noPodMs = 20_000;

/** Finds out whether the first container of a Job can start. */
export class FirstContainer {
  readonly #began: number;
  readonly #describe: string;
  readonly #obstacles: Obstacles;

  /** @param began time at which the Job was created, in milliseconds since 1970 */
  constructor(job: string, namespace: string, began: number) {
    this.#began = began;
    this.#describe = `kubectl -n ${namespace} describe job ${job}`;
    this.#obstacles = new Obstacles(began);
  }

  /**
   * Returns the reason why no container of the Job can start. Undefined if a container may still
   * start.
   *
   * @param pods all pods of the Job, as they are now
   */
  issue(pods: readonly Pod[], now = Date.now()): string | undefined {
    const obstacle = this.#obstacles.at(now, { failedMounts: [], pods, refused: undefined });
    return pods.length === 0 && now - this.#began > noPodMs
      ? `Kubernetes creates no pod. To see why: ${this.#describe}`
      : obstacle;
  }
}
