/** How many pods a canary gets, and their share of the requests. */
export interface Share {
  readonly asked: number;
  readonly pods: number;
  /**
   * Canary pods as a share of all pods behind the Service. The canary receives this share of the
   * requests.
   */
  readonly real: number;
  /** Number of production's pods that are Ready. */
  readonly stable: number;
}

/** The largest share of the requests that a canary gets without --accept-share. */
const most = 1 / 3;

/**
 * Computes how many canary pods receive about the requested share of the requests. The result is at
 * least one pod.
 *
 * @param asked share of the requests, above 0 and below 1.
 */
export function canaryShare(stable: number, asked: number): Share {
  const pods = Math.max(1, Math.round((asked * stable) / (1 - asked)));
  return { asked, pods, real: pods / (stable + pods), stable };
}

export const percent = (share: number): string =>
  `${(share * 100).toFixed(1).replace(/\.0$/, "")} %`;

/**
 * Returns the calculation of the number of canary pods as text, so that a person can check the
 * calculation.
 */
export function shown({ asked, pods, real, stable }: Share): string {
  const p = String(asked);
  return (
    `max(1, round(${p} * ${String(stable)} / (1 - ${p}))) = ${String(pods)} canary ${pods === 1 ? "pod" : "pods"} ` +
    `next to ${String(stable)} production ${stable === 1 ? "pod" : "pods"}: ` +
    `${percent(real)} of the requests, ${percent(asked)} requested`
  );
}

/** The reason why the share is too large. Undefined if the share is small enough. */
export function shareIssue({ asked, real, stable }: Share): string | undefined {
  if (stable === 0) {
    return (
      "Production has no Ready pod, so the canary would receive every request. " +
      "Wait until production has Ready pods."
    );
  }
  const way = "Choose another share, give production more pods, or accept it with --accept-share.";
  if (real > most) {
    return `The canary would get ${percent(real)} of the requests, more than a third. ${way}`;
  }
  // The 1e-9 compensates for rounding errors: 20 % is not more than twice the requested 10 %.
  if (real > asked * 2 + 1e-9) {
    return (
      `The canary would get ${percent(real)} of the requests, ` +
      `more than twice the requested ${percent(asked)}. ${way}`
    );
  }
  return undefined;
}
