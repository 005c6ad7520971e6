/** CPU and memory as Kubernetes writes them. */
export interface Requests {
  /** Kubernetes quantity, as `250m` or `1.5`. */
  readonly cpu: string;
  /** Kubernetes quantity in Ki, Mi or Gi. */
  readonly memory: string;
}

const cpuForm = /^(?:[1-9][0-9]*m|[0-9]+(?:\.[0-9]+)?)$/;
const memoryForm = /^[1-9][0-9]*(?:Ki|Mi|Gi)$/;

/** Cores of a CPU quantity, or undefined if it is none. */
export function cores(cpu: string): number | undefined {
  if (!cpuForm.test(cpu)) return undefined;
  const amount = cpu.endsWith("m") ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
  return amount > 0 ? amount : undefined;
}

/** Whether a text is an amount of memory that a pod can be given. */
export function isMemory(memory: string): boolean {
  return memoryForm.test(memory);
}
