import { type Checked, check } from "./validation";

/** CPU and memory, as Kubernetes quantities. */
export interface Requests {
  /**
   * CPU as a Kubernetes quantity, such as `250m` or `1.5`. With too little CPU, a busy node slows
   * the container down. If no node has this much free CPU, the pods stay pending.
   */
  readonly cpu: string;
  /**
   * Memory as a Kubernetes quantity in Ki, Mi or Gi. If no node has this much free memory, the pods
   * stay pending.
   */
  readonly memory: string;
}

const cpuForm = /^(?:[1-9][0-9]*m|[0-9]+(?:\.[0-9]+)?)$/;
const memoryForm = /^[1-9][0-9]*(?:Ki|Mi|Gi)$/;

/** Returns a CPU quantity in cores. Undefined if the quantity is not valid. */
export function cores(cpu: string): number | undefined {
  if (!cpuForm.test(cpu)) return undefined;
  const amount = cpu.endsWith("m") ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
  return amount > 0 ? amount : undefined;
}

/** Whether a text is a memory quantity that the components accept. */
export function isMemory(memory: string): boolean {
  return memoryForm.test(memory);
}

const units = { Gi: 2 ** 30, Ki: 2 ** 10, Mi: 2 ** 20 } as const;

/** Returns a memory quantity in bytes. Undefined if the quantity is not valid. */
export function memoryBytes(memory: string): number | undefined {
  if (!isMemory(memory)) return undefined;
  return Number(memory.slice(0, -2)) * units[memory.slice(-2) as keyof typeof units];
}

/**
 * Adds the requests of all containers of a pod. An amount that is not a valid quantity counts as 0,
 * because the component that has this amount as an arg reports the issue.
 */
export function sumOf(all: readonly Requests[]): Requests {
  const sum = (amount: (one: Requests) => number) =>
    all.reduce((total, one) => total + amount(one), 0);
  const milli = sum(({ cpu }) => Math.round((cores(cpu) ?? 0) * 1000));
  const kibi = sum(({ memory }) => (memoryBytes(memory) ?? 0) / units.Ki);
  const memory = kibi % 1024 === 0 ? `${String(kibi / 1024)}Mi` : `${String(kibi)}Ki`;
  return { cpu: `${String(milli)}m`, memory };
}

/**
 * Returns an issue for each amount of CPU or memory that is not a valid quantity. The messages show
 * `cpu` and `memory` of the last argument as examples.
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
