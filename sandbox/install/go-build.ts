import { copyFileSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, type CommandOptions } from "../../lib/command";
import type { Report } from "../../lib/progress";
import { paths } from "../layout";
import type { Build, Part } from "./parts";

/** Where each part's go.mod, go.sum and main package are. */
export const modules = join(import.meta.dirname, "..", "modules");

/**
 * Compilers collect no garbage below 2 GiB. Measured for one part: 71 s with GOGC at four times
 * Go's default, 89 s with the default.
 */
const goEnvironment = {
  CGO_ENABLED: "0",
  GOFLAGS: "-mod=mod -trimpath -buildvcs=false",
  GOGC: "off",
  GOMEMLIMIT: "2GiB",
};

/** Runs Go in the directory of a module. */
async function go(
  args: readonly string[],
  cwd: string,
  more: CommandOptions = {},
): Promise<string> {
  return command("go", args, { cwd, env: goEnvironment, ...more });
}

/**
 * Works on a copy: `go build` may complete go.mod and go.sum, and must not write those of the
 * repository.
 */
function copyModule(build: Build, directory: string): string {
  const source = join(paths.work, directory, build.module);
  rmSync(source, { recursive: true, force: true });
  cpSync(join(modules, build.module), source, { recursive: true });
  return source;
}

/**
 * Fills Go's caches for a part, until it is stopped. It uses the time in which another part is
 * linked or waits for downloads and the processors are idle. The build itself reports what fails
 * here.
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
    // It was stopped, or the build will report the same error.
  }
}

/** Replaces one file of a module by ours, in a copy of that module. */
async function replaceFile({ instead }: Build, source: string): Promise<void> {
  if (instead === undefined) return;
  const published = await moduleDirectory(instead.module, source);
  const copy = join(source, "instead");
  cpSync(published, copy, { recursive: true });
  // Published modules are read-only, directories too.
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
    const from = join(await moduleDirectory(build.scripts.module, source), build.scripts.from);
    for (const name of build.scripts.names) {
      copyFileSync(join(from, name), join(staging, name));
    }
  }
}

async function moduleDirectory(module: string, cwd: string): Promise<string> {
  await go(["mod", "download", module], cwd);
  return go(["list", "-m", "-f", "{{.Dir}}", module], cwd);
}

/**
 * Makes two files from the module's sources: the provider's main package embeds them, but its
 * published module lacks them.
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
