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
 * A stand-in for `npm ci`. In a clean clone, every `npm run` first runs `npm ci`. Returns whether
 * `npm ci` installs development packages, and the packages whose install scripts `npm ci` runs. The
 * job's variables `npm_config_*` override `.npmrc` (npm's documentation: config).
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
