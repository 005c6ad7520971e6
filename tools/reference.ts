import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Context, TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";
import { environmentNames, environments } from "../environments";
import type { Setting, Surroundings } from "../settings/setting";
import { table } from "../settings/table";
import { project } from "../lib/project";
import { configSchema, configSchemaFile } from "./config-schema";
import { UserError } from "../lib/errors";

/** Directory of the generated reference. The repository contains the generated pages. */
export const referenceDirectory = join(project, "docs", "reference");

const components = join(project, "components");
/**
 * Files with types that args refer to. The reference has pages for these types, so that links to
 * the types work.
 */
const argTypes = [
  "conventions/labels",
  "conventions/override",
  "conventions/quantities",
  "conventions/quota",
  "pods/args",
  "pods/database",
].map((name) => join(components, `${name}.ts`));

/** Groups of args, in the order of the reference. The tag `@group` of an arg names its group. */
const argGroups = ["Common", "Rollout", "Ingress", "Run", "Pod", "Rare"] as const;

/** `npm run reference`: writes all pages, and removes pages whose source no longer exists. */
export async function reference(): Promise<void> {
  const pages = await referencePages();
  rmSync(referenceDirectory, { recursive: true, force: true });
  for (const [name, text] of pages) {
    const file = join(referenceDirectory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  console.log(`Wrote ${String(pages.size)} pages to docs/reference`);
}

/**
 * Returns the text of each page, by file name. Two calls with the same code return the same texts.
 */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map(await codePages())
    .set("settings.md", settingsPage())
    .set(configSchemaFile, configSchema());
  return pages.set("README.md", `${pages.get("README.md") ?? ""}- [settings](settings.md)\n`);
}

function componentFiles(): string[] {
  return readdirSync(components, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(components, name))
    .filter((file) => readFileSync(file, "utf8").includes("extends pulumi.ComponentResource"))
    .sort();
}

async function codePages(): Promise<readonly [string, string][]> {
  const out = mkdtempSync(join(tmpdir(), "services-orders-reference-"));
  const options: TypeDocOptions & Partial<PluginOptions> = {
    disableGit: true,
    disableSources: true,
    entryPoints: [...componentFiles(), ...argTypes],
    excludeExternals: true,
    groupOrder: [...argGroups],
    hidePageTitle: false,
    interfacePropertiesFormat: "table",
    hideBreadcrumbs: true,
    hideGenerator: true,
    hidePageHeader: true,
    logLevel: "Error",
    name: "Reference",
    out,
    plugin: ["typedoc-plugin-markdown"],
    readme: "none",
    router: "module",
    // With this option, typedoc skips the type check and needs only half the time. `npm run check`
    // checks the types.
    skipErrorChecking: true,
    sort: ["required-first", "alphabetical"],
    tableColumnSettings: { hideInherited: true, hideModifiers: true },
    tsconfig: join(project, "tsconfig.json"),
    validation: false,
  };
  // This dynamic import returns the same ES module that typedoc's plugin imports. In a test that
  // Mocha loads with `require`, a static import would load a second copy of typedoc.
  const { Application, Converter, ReflectionKind } = await import("typedoc");
  /**
   * Removes functions, constants and constructors, because the reference describes only types and
   * classes.
   */
  const typesAndClassesOnly = ({ project: model }: Context): void => {
    const others = [ReflectionKind.Function, ReflectionKind.Variable, ReflectionKind.Constructor];
    for (const reflection of others.flatMap((kind) => model.getReflectionsByKind(kind))) {
      model.removeReflection(reflection);
    }
  };
  try {
    const app = await Application.bootstrapWithPlugins(options);
    app.converter.on(Converter.EVENT_RESOLVE_BEGIN, typesAndClassesOnly);
    const model = await app.convert();
    if (model === undefined) {
      throw new UserError("TypeDoc could not read the code; see its errors above");
    }
    await app.generateOutputs(model);
    return readdirSync(out, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => [name, readFileSync(join(out, name), "utf8")]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/**
 * Returns the default of a setting in each environment. If all environments have the same default,
 * the text contains this default only once.
 */
function settingDefault(setting: Setting): string {
  const values = [...environmentNames].sort().map((environment) => {
    const { canaryOf, perBranch, settingsOf } = environments[environment];
    const slug = perBranch ? "<slug>" : (canaryOf ?? environment);
    const surroundings = { env: {}, environment: settingsOf, gitBranch: "<branch of git>", slug };
    const value = setting.default(surroundings satisfies Surroundings);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return [environment, value === undefined ? "none" : `\`${text}\``] as const;
  });
  const [first] = values;
  return values.every(([, value]) => value === first?.[1])
    ? (first?.[1] ?? "")
    : values.map(([environment, value]) => `${environment}: ${value}`).join("<br>");
}

function settingsPage(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  // Escapes `<` and `*`, so that Markdown does not read `<slug>` or `*.{domain}` as markup.
  const prose = (text: string) => cell(text).replaceAll("<", "\\<").replaceAll("*", "\\*");
  const rows = Object.entries<Setting>(table).map(([key, setting]) =>
    [
      `\`${key}\``,
      prose(setting.description),
      prose(setting.allowed),
      cell(settingDefault(setting)),
      setting.env === undefined ? "" : `\`${setting.env}\``,
    ].join(" | "),
  );
  return [
    "# Settings",
    "",
    "Keys of a stack's configuration. Example: `pulumi config set replicas 3 --stack local`. If the",
    "configuration does not contain a key, the value of the setting comes from the environment variable.",
    "If the variable is not set either, the setting has the default of the stack's environment.",
    "",
    "| key | what it is | allowed | default | environment variable |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row} |`),
    "",
  ].join("\n");
}
