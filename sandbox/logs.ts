import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/errors";
import { paths } from "./layout";

/** Prints the end of the sandbox's logs. */
export function printLogs(daemon: string | undefined, { lines }: { lines: number }): void {
  const all = existsSync(paths.logs)
    ? readdirSync(paths.logs)
        .filter((file) => file.endsWith(".log"))
        .sort()
    : [];
  const wanted = daemon === undefined ? all : all.filter((file) => file === `${daemon}.log`);
  if (wanted.length === 0) {
    throw new UserError(
      `${daemon === undefined ? "there are no logs" : `there is no log of "${daemon}"`}; logs: ${all.map((file) => file.slice(0, -4)).join(", ") || "none"}`,
    );
  }
  for (const file of wanted) {
    console.log(`== ${file}`);
    console.log(
      readFileSync(join(paths.logs, file), "utf8").trimEnd().split("\n").slice(-lines).join("\n"),
    );
  }
}
