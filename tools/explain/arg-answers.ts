import { leaves } from "../../operations/preview/changes/differences";
import type { Field } from "../../operations/preview/provenance/fields";
import type { Json } from "../../operations/pulumi/events";
import { manifestOf } from "../render/manifests";
import type { Answer, Value, Written } from "./answer";
import { type Arg, type Component, partsOf } from "./components";
import { consequencesOf } from "./impacts";
import { type Knowledge, fieldsOf } from "./knowledge";
import { type Stack, settingIn, shownStack, valuesIn } from "./stacks";
import type { Place } from "./source";
import type { Use } from "./uses";
import { safe } from "./values";

/** An arg, or a part of an arg, of one component. */
export interface FoundArg {
  readonly arg: Arg;
  readonly component: Component;
  /** The whole arg, if `arg` is only a part of an arg. Otherwise, `whole` is the same as `arg`. */
  readonly whole: Arg;
}

/** Returns the args, and the parts of args (such as `database.host`), that have this name. */
export function argsNamed(
  name: string,
  { components, source }: Knowledge,
  same: (one: string, other: string) => boolean,
): readonly FoundArg[] {
  const [first = ""] = name.split(".");
  return components.flatMap((component) =>
    component.args.flatMap((arg): readonly FoundArg[] => {
      const short = arg.name.replace(/^overrides\./, "");
      if (same(arg.name, name) || same(short, name)) return [{ arg, component, whole: arg }];
      if (!same(arg.name, first)) return [];
      return partsOf(arg, source.checker)
        .filter((part) => same(part.name, name))
        .filter((part) => !component.args.some((own) => own.name === part.name))
        .map((part) => ({ arg: part, component, whole: arg }));
    }),
  );
}

/**
 * Returns the fields that have the same name as an arg. The preview uses the same rule for an arg
 * that is not in the preview's table of args and fields.
 */
function fieldsWithName(
  name: string,
  ofComponent: readonly Field[],
  stacks: readonly Stack[],
): readonly Field[] {
  const kinds = new Set(ofComponent.map(({ kind }) => kind));
  const objects = stacks.flatMap((stack) => stack.objects.map(manifestOf));
  const found = objects.flatMap((object) => {
    const kind = typeof object["kind"] === "string" ? object["kind"] : "";
    const paths = kinds.has(kind) ? leaves(object).map(([path]) => path) : [];
    return paths.filter((path) => path.endsWith(`.${name}`)).map((path) => ({ kind, path }));
  });
  return [...new Map(found.map((field) => [`${field.kind} ${field.path}`, field])).values()];
}

/**
 * Returns the fields that an arg sets. For an arg of a ContainerImage, also returns the fields that
 * contain a pod's image.
 */
export function fieldsOfArg(
  { component, whole }: Pick<FoundArg, "component" | "whole">,
  { components, stacks }: Pick<Knowledge, "components" | "stacks">,
): readonly Field[] {
  const all = fieldsOf(component);
  const isKnown = Object.keys(all).some((arg) => arg.split(".")[0] === whole.name.split(".")[0]);
  if (!isKnown) return fieldsWithName(whole.name, Object.values(all).flat(), stacks);
  // The arg `overrides` sets every field that one of its specs sets.
  const own =
    all[whole.name] ??
    Object.entries(all).flatMap(([arg, its]) => (arg.startsWith(`${whole.name}.`) ? its : []));
  if (!own.some(({ kind }) => kind === "Image")) return own;
  return [...own, ...components.flatMap((one) => fieldsOf(one)["imageRef"] ?? [])];
}

export const written = (place: Place): string => `${place.file}:${String(place.line)}`;

/** Returns one text with the places from which a stack gets the settings with these keys. */
export function settingsIn(stack: Stack, keys: readonly string[]): string {
  const all = keys.map((key) => {
    const { from, place, variable } = settingIn(stack, key);
    if (from === "variable") return `variable ${variable ?? ""}`;
    const at = place === undefined ? "" : written(place);
    return from === "file" ? at : `${at}, default of setting ${key}`;
  });
  return all.join("; ");
}

/** Returns the value at a path in an object. Undefined if the object has no such path. */
function partOf(value: Json | undefined, path: readonly string[]): Json | undefined {
  const [first, ...rest] = path;
  if (first === undefined || value === undefined || value === null) return value;
  if (typeof value !== "object" || Array.isArray(value)) return undefined;
  return partOf((value as Readonly<Record<string, Json>>)[first], rest);
}

/** Joins entries that differ only in their stacks. */
export function joined(values: readonly Value[]): readonly Value[] {
  const found = new Map<string, Value>();
  for (const value of values) {
    const key = JSON.stringify([value.of, value.path, value.set, value.value]);
    const stacks = [...(found.get(key)?.stacks ?? []), ...value.stacks];
    found.set(key, { ...value, stacks: [...new Set(stacks)] });
  }
  return [...found.values()];
}

function valuesOf(
  { arg, component }: FoundArg,
  uses: readonly Use[],
  { stacks }: Knowledge,
): readonly Value[] {
  const keys = [...new Set(uses.flatMap(({ settings }) => settings))];
  const [first = "", ...path] = arg.name.split(".");
  return stacks.flatMap((stack) => {
    const given = valuesIn(stack, component.type, first);
    return given.flatMap(({ name, value }): readonly Value[] => {
      const own = partOf(value, path);
      if (own === undefined) return [];
      const set = settingsIn(stack, keys);
      return [
        {
          ...(given.length > 1 ? { of: name } : {}),
          ...(set === "" ? {} : { set }),
          stacks: [shownStack(stack.stack)],
          value: safe(arg.name, own),
        },
      ];
    });
  });
}

const title = (found: readonly FoundArg[]): string => {
  const names = [...new Set(found.map(({ component }) => component.name))].join(", ");
  return found.some(({ arg, whole }) => arg !== whole)
    ? `part of an arg of ${names}`
    : `arg of ${names}`;
};

/**
 * Answers a question about args that share one declaration, such as the arg `env` of several
 * components.
 */
function answerOf(found: readonly FoundArg[], knowledge: Knowledge): readonly Answer[] {
  const [first] = found;
  if (first === undefined) return [];
  const { doc, name, place, required, type } = first.arg;
  const uses = found.map((one) => knowledge.uses.of(one.component, one.whole));
  const fields = found.flatMap((one) => fieldsOfArg(one, knowledge));
  const places = new Map<string, Written>(
    uses.flat().map((use) => [written(use.place), { ...use.place, text: use.text }]),
  );
  const becomes = new Set(fields.map(({ kind, path }) => `${kind} ${path}`.trim()));
  return [
    {
      becomes: [...becomes],
      consequences: consequencesOf(fields, knowledge.stacks),
      ...(doc.default === undefined ? {} : { default: doc.default }),
      ...(doc.default === undefined && required ? { default: "- none: it is required" } : {}),
      ...(doc.example === undefined ? {} : { example: doc.example }),
      ...(doc.see === undefined ? {} : { see: doc.see }),
      place,
      setBy: [],
      text: doc.text,
      type,
      values: joined(found.flatMap((one, at) => valuesOf(one, uses[at] ?? [], knowledge))),
      what: title(found),
      word: name,
      written: [...places.values()],
    },
  ];
}

/** Answers a question about args. Returns one answer for each declaration. */
export function argAnswers(found: readonly FoundArg[], knowledge: Knowledge): readonly Answer[] {
  const byPlace = new Map<string, FoundArg[]>();
  for (const one of found) {
    const key = written(one.arg.place);
    byPlace.set(key, [...(byPlace.get(key) ?? []), one]);
  }
  return [...byPlace.values()].flatMap((same) => answerOf(same, knowledge));
}
