import { type Checked, check } from "./validation";

/** CPU and memory, as Kubernetes quantities. */
export interface Requests {
  /**
   * Kubernetes quantity, such as `250m` or `1.5`. Too little: a busy node slows the container down.
   * If no node has as much, the pods stay pending.
   */
  readonly cpu: string;
  /** Kubernetes quantity in Ki, Mi or Gi. If no node has as much, the pods stay pending. */
  readonly memory: string;
}

const cpuForm = /^(?:[1-9][0-9]*m|[0-9]+(?:\.[0-9]+)?)$/;
const memoryForm = /^[1-9][0-9]*(?:Ki|Mi|Gi)$/;

/** Cores of a CPU quantity, or undefined if it is not valid. */
export function cores(cpu: string): number | undefined {
  if (!cpuForm.test(cpu)) return undefined;
  const amount = cpu.endsWith("m") ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
  return amount > 0 ? amount : undefined;
}

/** Whether a text is a memory quantity that we accept. */
export function isMemory(memory: string): boolean {
  return memoryForm.test(memory);
}

const units = { Gi: 2 ** 30, Ki: 2 ** 10, Mi: 2 ** 20 } as const;

/** Bytes of a memory quantity, or undefined if it is not valid. */
export function memoryBytes(memory: string): number | undefined {
  if (!isMemory(memory)) return undefined;
  return Number(memory.slice(0, -2)) * units[memory.slice(-2) as keyof typeof units];
}

/**
 * An issue for each amount that is not a quantity in a form that the components read. The message
 * shows `cpu` and `memory` as examples.
 */
export function amountIssues(
  arg: string,
  got: Requests,
  { cpu, memory }: Requests,
): readonly Checked[] {
  return [
    check(cores(got.cpu) !== undefined, {
      arg: `${arg}.cpu`,
      got: got.cpu,
      rule: "be a CPU quantity above 0",
      fix: `write cores or thousandths, such as ${cpu}`,
    }),
    check(isMemory(got.memory), {
      arg: `${arg}.memory`,
      got: got.memory,
      rule: "be a memory quantity in Ki, Mi or Gi",
      fix: `write it as "${memory}"`,
    }),
  ];
}
