import { copyFileSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, type CommandOptions } from "../../lib/command";
import { project } from "../../lib/project";
import type { Report } from "../../lib/progress";
import { paths } from "../layout";
import type { Build, Part } from "./parts";

/**
 * Directory of the Go modules from which the sandbox builds parts. Each module has a go.mod and a
 * go.sum. Some modules have a main package.
 */
export const modules = join(project, "sandbox", "modules");

/**
 * Environment variables for Go. Garbage collection makes Go's compiler slower. With these
 * variables, garbage collection starts only when the compiler uses 2 GiB. In a measurement, the
 * build of one part took 89 s with Go's default for GOGC, and 71 s with four times the default.
 */
const goEnvironment = {
  CGO_ENABLED: "0",
  // The linker discards debug information, because of `-ldflags -s`. If the compiler creates no
  // debug information, the compiler is about one sixth faster.
  GOFLAGS: "-mod=mod -trimpath -buildvcs=false -gcflags=all=-dwarf=false",
  GOGC: "off",
  GOMEMLIMIT: "2GiB",
};

/** Runs a Go command in a module's directory. */
async function go(
  args: readonly string[],
  cwd: string,
  more: CommandOptions = {},
): Promise<string> {
  return command("go", args, { cwd, env: goEnvironment, ...more });
}

/**
 * Copies a module to a temporary directory, and returns the path of the copy. `go build` may change
 * go.mod and go.sum, so this command must not run in the repository itself.
 */
function copyModule(build: Build, directory: string): string {
  const source = join(paths.work, directory, build.module);
  rmSync(source, { recursive: true, force: true });
  cpSync(join(modules, build.module), source, { recursive: true });
  return source;
}

/**
 * Downloads and compiles packages of a part into Go's caches, until the caller aborts
 * `cancelSignal`. The sandbox calls this function during the build of another part. The compiler
 * runs with low priority, so the compiler uses CPUs that are idle while the other build downloads
 * and links. Ignores errors, because the later build of the part reports these errors.
 */
export async function compileAhead(part: Part, cancelSignal: AbortSignal): Promise<void> {
  try {
    for (const build of part.builds) {
      const cwd = copyModule(build, "ahead");
      await replaceFile(build, cwd);
      const options = { cwd, env: goEnvironment, cancelSignal };
      await command("go", ["list", "-deps", "-e", build.package], options);
      const compiled = ["go", "list", "-deps", "-export", "-e", build.package];
      await command("nice", ["-n", "19", ...compiled], options);
    }
  } catch {
    // Either the caller has aborted `cancelSignal`, or the later build will report the same error.
  }
}

/**
 * If a build has `instead`, copies the published module, replaces one file in the copy, and makes
 * the build use the copy.
 */
async function replaceFile({ instead }: Build, source: string): Promise<void> {
  if (instead === undefined) return;
  const published = await moduleDirectory(instead.module, source);
  const copy = join(source, "instead");
  cpSync(published, copy, { recursive: true });
  // Go makes the files and directories of downloaded modules read-only, so the copy is read-only,
  // too.
  await command("chmod", ["-R", "u+w", copy]);
  copyFileSync(join(source, instead.take), join(copy, instead.of));
  const edit = ["mod", "edit", "-replace", `${instead.module}=./instead`];
  await go(edit, source);
}

export async function goBuild(
  build: Build,
  part: Part,
  staging: string,
  report: Report,
): Promise<void> {
  const source = copyModule(build, "build");
  const log = join(paths.logs, `build-${part.name}.log`);
  const onLine = (line: string): void => {
    report(line.replace(/^go: /, ""));
  };
  report("compiling");
  await replaceFile(build, source);
  if (build.prepare === "kubernetes-provider-schema") {
    await writeProviderSchema(source, part);
  }
  const set = Object.entries(build.set ?? {}).map(([variable, value]) => `-X ${variable}=${value}`);
  const output = join(staging, build.output);
  const flags = ["-v", "-ldflags", ["-s -w", ...set].join(" "), "-o", output];
  await go(["build", ...flags, build.package], source, { log, onLine });
  for (const name of build.alsoAs ?? []) {
    symlinkSync(build.output, join(staging, name));
  }
  if (build.scripts !== undefined) {
    const { from, module, names } = build.scripts;
    const directory = module === undefined ? source : await moduleDirectory(module, source);
    for (const name of names) {
      copyFileSync(join(directory, from, name), join(staging, name));
    }
  }
}

async function moduleDirectory(module: string, cwd: string): Promise<string> {
  await go(["mod", "download", module], cwd);
  return go(["list", "-m", "-f", "{{.Dir}}", module], cwd);
}

/**
 * Creates two files that the main package of Pulumi's Kubernetes provider embeds. The published
 * module does not contain these two files. This function creates them from JSON files in the
 * published module.
 */
async function writeProviderSchema(source: string, part: Part): Promise<void> {
  const provider = "github.com/pulumi/pulumi-kubernetes/provider/v4";
  const main = join(await moduleDirectory(provider, source), "cmd", "pulumi-resource-kubernetes");
  for (const [name, more] of [
    ["schema", { version: part.version }],
    ["terraform-mapping", {}],
  ] as const) {
    const published = JSON.parse(readFileSync(join(main, `${name}.json`), "utf8")) as object;
    writeFileSync(join(source, `${name}-embed.json`), JSON.stringify({ ...published, ...more }));
  }
}
