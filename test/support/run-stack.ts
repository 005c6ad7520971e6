import { readFileSync } from "node:fs";
import { parse } from "yaml";
import program = require("../../index");
import { knownRegistries } from "../../policy/registries";
import { rules } from "../../policy/rules";
import { configOf, settingsFrom } from "../../settings";
import { Repository } from "./fixtures";
import { record, settled } from "./mocks";
import { said } from "./recorded";

/**
 * Runs the program under mocks for the stack that the argument names. Prints the issues, the
 * settings and the types of the resources.
 */
async function run(stack: string): Promise<void> {
  const file = readFileSync(`Pulumi.${stack}.yaml`, "utf8");
  const config = configOf(parse(file) as { config?: unknown });
  const git = { branch: "main", commit: "0123456789".repeat(4) };
  const settings = settingsFrom({ config, env: {}, git, stack });
  const repository = new Repository();
  process.chdir(repository.root);
  const recorder = await record(stack);
  const facts = { clusterUid: "00000000-0000-0000-0000-000000000001", namespace: undefined };
  await program({
    readCluster: () => Promise.resolve(facts),
    readSettings: () => Promise.resolve(settings),
  });
  await settled();
  repository.remove();
  const known = knownRegistries({ config, env: {}, stack });
  const issues = said(recorder, stack, rules(known));
  const types = recorder.custom().map(({ type }) => type);
  process.stdout.write(JSON.stringify({ issues, settings, types }));
}

void run(process.argv[2] ?? "");
