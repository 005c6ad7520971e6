import { leaves } from "../../operations/preview/changes/differences";
import { covers, steps } from "../../operations/preview/changes/paths";
import { isSensitive } from "../../operations/preview/changes/values";
import { secret } from "../../components/conventions/secrets/masked";
import { type ComponentType, argsFor } from "../../operations/preview/provenance/fields";
import { manifestOf } from "../render/manifests";
import { joined } from "./arg-answers";
import type { Answer, Value } from "./answer";
import type { Component } from "./components";
import { consequencesOf, fieldsOfKind } from "./impacts";
import { type Knowledge, fieldsOf } from "./knowledge";
import { type Stack, shownStack } from "./stacks";

/**
 * Returns the args of a component that set a field or one of its subfields. The args of the
 * subfields come first, in alphabetical order. The args of the field follow, the most specific arg
 * first.
 */
function settersOf(component: Component, kind: string, path: string): readonly string[] {
  const own = fieldsOf(component);
  if (Object.keys(own).length === 0) return [];
  const around = argsFor(component.type as ComponentType, kind, path);
  const below = Object.entries(own)
    .filter(([, its]) =>
      its.some((one) => one.kind === kind && path !== "" && covers(path, one.path)),
    )
    .map(([arg]) => arg)
    .filter((arg) => !around.includes(arg));
  return [...below.sort(), ...around].map((arg) => `${component.name}.${arg}`);
}

function valuesIn({ objects, stack }: Stack, kind: string, path: string): readonly Value[] {
  const same = objects.filter(({ type }) => type.endsWith(`:${kind}`));
  return same.flatMap((object) =>
    leaves(manifestOf(object))
      .filter(([leaf]) => path !== "" && covers(path, leaf))
      .map(([leaf, value]) => ({
        ...(same.length > 1 ? { of: object.name } : {}),
        path: leaf,
        stacks: [shownStack(stack)],
        value: isSensitive(kind, leaf) ? secret : value,
      })),
  );
}

/** Returns the names of a stack's objects of one kind. */
function objectsIn({ objects, stack }: Stack, kind: string): readonly Value[] {
  return objects
    .filter(({ type }) => type.endsWith(`:${kind}`))
    .map(({ name }) => ({ stacks: [shownStack(stack)], value: name }));
}

/**
 * Answers a question about a kind of object, or about a field of a kind. Undefined if Kubernetes
 * has no such field.
 *
 * @param asked steps of the field's path. Empty for the kind itself.
 */
export function fieldAnswer(
  kind: string,
  asked: readonly string[],
  knowledge: Knowledge,
): Answer | undefined {
  const { components, created, docs, stacks } = knowledge;
  const doc = docs.find(kind, asked);
  if (doc === undefined) return undefined;
  const { path, text } = doc;
  const values = stacks.flatMap((stack) =>
    path === "" ? objectsIn(stack, kind) : valuesIn(stack, kind, path),
  );
  const fields = path === "" ? fieldsOfKind(kind, doc.below) : [{ kind, path }];
  return {
    becomes: path === "" ? doc.below.map((name) => `${kind} ${name}`) : [],
    consequences: consequencesOf(fields, stacks),
    setBy: components.flatMap((component) => settersOf(component, kind, path)),
    // Only the first paragraph is from Kubernetes. In the next paragraphs, Pulumi's package
    // explains how Pulumi waits for the object.
    text: text.split("\n")[0] ?? "",
    values: joined(values),
    what: path === "" ? "kind of object" : `field of ${kind}`,
    word: path === "" ? kind : `${kind}.${path}`,
    written: (created.get(kind) ?? []).map((place) => ({ ...place, text: `creates the ${kind}` })),
  };
}

/**
 * Returns the existing fields that have the same parent field as a field that does not exist. The
 * message about an unknown word suggests the most similar of these fields.
 */
export function siblingsOf(
  kind: string,
  asked: readonly string[],
  { docs }: Pick<Knowledge, "docs">,
): readonly string[] {
  for (let known = asked.length - 1; known >= 0; known -= 1) {
    const doc = docs.find(kind, asked.slice(0, known));
    if (doc === undefined) continue;
    const rest = asked.slice(known + 1).map((step) => (step.startsWith("[") ? step : `.${step}`));
    return doc.below.map((name) => {
      const start = [kind, ...steps(doc.path).filter((step) => !step.startsWith("[")), name];
      return `${start.join(".")}${rest.join("")}`;
    });
  }
  return [];
}
