import { columns } from "../../../lib/table";
import type { Cost } from "../cost";

/** Limits of the figures. The limits `adding` and `removing` depend on the time that Helm takes. */
const limits = {
  /** Time of the update that adds the jobs, without the time of a preview. */
  adding: 2,
  /** Size of the Pulumi state for each job, in kilobytes. */
  kilobytes: 9,
  /** Peak memory of the largest process, in MiB. */
  memory: 700,
  /**
   * Time of a preview without changes, as a multiple of the time of a preview of a program without
   * components that has the same number of objects.
   */
  preview: 1.5,
  /** Time of the update that removes the jobs, without the time of a preview. */
  removing: { seconds: 2, times: 3 },
  /**
   * Time of a preview of the stack without additional jobs, as a multiple of the time of a preview
   * of a program with one ConfigMap.
   */
  small: 1.3,
} as const;

/** What the benchmark has measured for one number of jobs. */
export interface Figures {
  readonly helm: Record<"change" | "dryRun" | "install" | "uninstall", Cost>;
  readonly kilobytesPerJob: number;
  /** Preview of a program with one ConfigMap. */
  readonly oneConfigMap: Cost;
  /** Preview of a program with the same number of objects, without components. */
  readonly plain: Cost;
  readonly pulumi: Record<
    "add" | "changeAll" | "changeOne" | "empty" | "preview" | "remove" | "removeAll" | "same",
    Cost
  >;
}

/** A line of the result. */
interface Row {
  readonly isOver?: boolean;
  readonly reference?: string;
  readonly value: string;
  readonly what: string;
}

const secondsOf = ({ milliseconds }: Cost): number => milliseconds / 1000;
const text = (seconds: number): string => `${seconds.toFixed(2)} s`;

/** Returns a line with a time. */
export const timeRow = (what: string, cost: Cost): Row => ({ value: text(secondsOf(cost)), what });

/** Compares a time in seconds with a multiple of a reference. */
export function ratioRow(
  what: string,
  value: number,
  name: string,
  reference: Cost,
  most: number,
): Row {
  const ratio = value / secondsOf(reference);
  const parts = [
    `${name} ${text(secondsOf(reference))}`,
    `ratio ${ratio.toFixed(2)}`,
    `at most ${String(most)}`,
  ];
  return { isOver: ratio > most, reference: parts.join(", "), value: text(value), what };
}

/** Returns the figures and their references. */
function rowsOf({ helm, kilobytesPerJob, oneConfigMap, plain, pulumi }: Figures): readonly Row[] {
  const { add, changeAll, changeOne, empty, preview, remove, removeAll, same } = pulumi;
  const memory = Math.max(...Object.values(pulumi).map(({ mib }) => mib));
  const { seconds, times } = limits.removing;
  const adding = secondsOf(add) - secondsOf(preview);
  const removing = secondsOf(remove) - secondsOf(empty);
  const uninstall = secondsOf(helm.uninstall);
  return [
    ratioRow(
      "adding the jobs, less a preview",
      adding,
      "helm install",
      helm.install,
      limits.adding,
    ),
    {
      isOver: removing > times * uninstall + seconds,
      reference: `helm uninstall ${text(uninstall)}, at most ${String(times)} times this and ${String(seconds)} s`,
      value: text(removing),
      what: "removing the jobs, less a preview",
    },
    ratioRow("preview", secondsOf(preview), "without components", plain, limits.preview),
    timeRow("helm upgrade --dry-run=server", helm.dryRun),
    timeRow("update without changes", same),
    timeRow("changing one job", changeOne),
    {
      ...timeRow("changing all jobs", changeAll),
      reference: `helm upgrade ${text(secondsOf(helm.change))}`,
    },
    timeRow("removing the whole stack", removeAll),
    ratioRow(
      "preview without additional jobs",
      secondsOf(empty),
      "one ConfigMap",
      oneConfigMap,
      limits.small,
    ),
    {
      isOver: kilobytesPerJob > limits.kilobytes,
      reference: `at most ${String(limits.kilobytes)} kB`,
      value: `${kilobytesPerJob.toFixed(1)} kB`,
      what: "state for each job",
    },
    {
      isOver: memory > limits.memory,
      reference: `preview without components ${plain.mib.toFixed(0)} MiB, at most ${String(limits.memory)} MiB`,
      value: `${memory.toFixed(0)} MiB`,
      what: "memory of the largest process",
    },
  ];
}

/** Prints the figures of a number of jobs. */
export function print(count: number, figures: Figures): void {
  printRows(`${String(count)} additional jobs`, rowsOf(figures));
}

/** Prints lines. Sets the command's exit code to 1 if a figure is above its limit. */
export function printRows(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const lines = rows.map(({ isOver = false, reference = "", value, what }) => [
    ...[`  ${what}`, value],
    isOver ? `${reference}  TOO MUCH` : reference,
  ]);
  for (const line of columns(lines)) console.log(line);
  if (rows.some(({ isOver }) => isOver)) process.exitCode = 1;
}
