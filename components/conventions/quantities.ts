import { type Checked, check } from "./validation";

/** CPU and memory as Kubernetes writes them. */
export interface Requests {
  /**
   * Kubernetes quantity, as `250m` or `1.5`. Too little, and a busy node slows the container down;
   * more than a node has finds none.
   */
  readonly cpu: string;
  /** Kubernetes quantity in Ki, Mi or Gi. More than a node has finds none. */
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

const units = { Gi: 2 ** 30, Ki: 2 ** 10, Mi: 2 ** 20 } as const;

/** Bytes of an amount of memory, or undefined if it is none. */
export function memoryBytes(memory: string): number | undefined {
  if (!isMemory(memory)) return undefined;
  return Number(memory.slice(0, -2)) * units[memory.slice(-2) as keyof typeof units];
}

/** An issue of each amount that Kubernetes would not take. `cpu` and `memory` are examples of what it takes. */
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
      fix: `write cores or thousandths, as ${cpu}`,
    }),
    check(isMemory(got.memory), {
      arg: `${arg}.memory`,
      got: got.memory,
      rule: "be a memory quantity in Ki, Mi or Gi",
      fix: `write it as "${memory}"`,
    }),
  ];
}
