import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../../lib/project";
import type { Job } from "../../../pipeline/model";

interface Locked {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (file: string): string => readFileSync(join(project, file), "utf8");

/**
 * A stand-in for `npm ci` in a clean clone, as every `npm run` of a job begins: what it installs,
 * and the packages that run an install script. `npm_config_*` of the job's environment comes before
 * `.npmrc` (docs of npm: config).
 */
export function installs({ environment = {} }: Job): {
  readonly development: boolean;
  readonly scripts: readonly string[];
} {
  const asked = (name: string): string | undefined =>
    environment[`npm_config_${name.replaceAll("-", "_")}`] ??
    new RegExp(`^${name}=(.*)$`, "m").exec(read(".npmrc"))?.[1];
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Readonly<Record<string, Locked>>;
  };
  const development = asked("omit") !== "dev";
  const there = Object.entries(packages).filter(([, { dev }]) => development || dev !== true);
  const scripts = there.filter(([, one]) => one.hasInstallScript).map(([path]) => path);
  return { development, scripts: asked("ignore-scripts") === "true" ? [] : scripts };
}
