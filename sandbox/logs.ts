import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/errors";
import { paths } from "./layout";

/** Returns the path of a daemon's log file. */
export const logFile = (daemon: string): string => join(paths.logs, `${daemon}.log`);

/** Returns the last lines of a daemon's log. */
export function endOfLog(daemon: string, lines = 12): string {
  const log = logFile(daemon);
  const text = existsSync(log) ? readFileSync(log, "utf8") : "";
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** Prints the last lines of one daemon's log, or of all logs of the sandbox. */
export function printLogs(daemon: string | undefined, { lines }: { lines: number }): void {
  const all = (existsSync(paths.logs) ? readdirSync(paths.logs) : [])
    .filter((file) => file.endsWith(".log"))
    .map((file) => file.slice(0, -".log".length))
    .sort();
  const wanted = daemon === undefined ? all : all.filter((name) => name === daemon);
  if (wanted.length === 0) {
    throw new UserError(
      all.length === 0
        ? "the sandbox has no logs yet; start it first: npm run sandbox -- up"
        : `the sandbox has no log "${daemon ?? ""}"; choose one of ${all.join(", ")}`,
    );
  }
  for (const name of wanted) {
    console.log(`== ${name}.log\n${endOfLog(name, lines)}`);
  }
}
