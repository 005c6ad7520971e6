import { environments, parseStack } from "../../environments";
import { variables } from "../../operations/pulumi/run-pulumi";
import type { Json } from "../../operations/pulumi/events";
import type { Setting } from "../../settings/setting";
import { table } from "../../settings/table";
import { fieldsOfArg, joined, settingsIn } from "./arg-answers";
import type { Answer, Value } from "./answer";
import type { Arg, Component } from "./components";
import { consequencesOf } from "./impacts";
import type { Knowledge } from "./knowledge";
import { lineOf } from "./source";
import { type Stack, definitionOf, settingIn, shownStack } from "./stacks";
import { safe } from "./values";

/**
 * Returns the value of a setting in a stack. The value comes from the stack settings file, an
 * environment variable, or the default.
 */
function valueIn(stack: Stack, key: string, setting: Setting): Json | undefined {
  const { from, place, variable } = settingIn(stack, key);
  const env = variables(stack.workspace);
  if (from === "file" && place !== undefined) {
    return lineOf(place)
      .replace(/^[^:]*:[^:]*:\s*/, "")
      .replace(/^"(.*)"$/, "$1");
  }
  if (from === "variable") return env[variable ?? ""];
  const { environment, slug } = parseStack(stack.stack) ?? {};
  if (environment === undefined || slug === undefined) return undefined;
  const { canaryOf = environment, perBranch, settingsOf } = environments[environment];
  const value = setting.default({
    env,
    environment: settingsOf,
    gitBranch: "<branch of git>",
    slug: perBranch ? "<slug>" : canaryOf,
  });
  return value as Json | undefined;
}

/** Returns the args whose values depend on a setting. */
function argsFrom(
  key: string,
  { components, uses }: Knowledge,
): readonly { readonly arg: Arg; readonly component: Component }[] {
  return components.flatMap((component) =>
    component.args
      .filter((arg) => uses.of(component, arg).some(({ settings }) => settings.includes(key)))
      .map((arg) => ({ arg, component })),
  );
}

/** Answers a question about a setting. */
export function settingAnswer(key: string, knowledge: Knowledge): Answer | undefined {
  const { [key]: setting } = table as Readonly<Record<string, Setting>>;
  if (setting === undefined) return undefined;
  const args = argsFrom(key, knowledge);
  const fields = args.flatMap(({ arg, component }) =>
    fieldsOfArg({ component, whole: arg }, knowledge),
  );
  const values = knowledge.stacks.flatMap((stack): readonly Value[] => {
    const value = valueIn(stack, key, setting);
    const set = settingsIn(stack, [key]);
    return value === undefined
      ? []
      : [{ set, stacks: [shownStack(stack.stack)], value: safe(key, value) }];
  });
  const place = definitionOf(key);
  return {
    allowed: setting.allowed,
    becomes: args.map(({ arg, component }) => `${component.name}.${arg.name}`),
    consequences: consequencesOf(fields, knowledge.stacks),
    ...(place === undefined ? {} : { place }),
    setBy: [],
    text: setting.description,
    ...(setting.env === undefined ? {} : { see: `variable ${setting.env}` }),
    values: joined(values),
    what: "setting",
    word: key,
    written: [],
  };
}
