import { distance } from "fastest-levenshtein";
import { service } from "../../config/service";
import { steps } from "../../operations/preview/changes/paths";
import { WrongUse } from "../../lib/errors";
import type { Answer } from "./answer";
import { type FoundArg, argAnswers, argsNamed } from "./arg-answers";
import type { Component } from "./components";
import { fieldAnswer, siblingsOf } from "./field-answers";
import { type Knowledge, kindsOf, settingKeys } from "./knowledge";
import { settingAnswer } from "./setting-answers";

/**
 * Error about a word that is not the name of an arg, a setting, a component, an object or a field.
 */
export class UnknownWord extends WrongUse {}

/** Maximum number of suggestions in the error about an unknown word. */
const suggestions = 3;

type Same = (one: string, other: string) => boolean;

const exactly: Same = (one, other) => one === other;
const ignoringCase: Same = (one, other) => one.toLowerCase() === other.toLowerCase();

/**
 * Returns the components that a word may mean. The word may be the name of a component, or one word
 * of the name. For example, `web` means `WebService`.
 */
function componentsNamed(word: string, { components }: Knowledge): readonly Component[] {
  const lower = word.toLowerCase();
  const whole = components.filter(({ name }) => name.toLowerCase() === lower);
  return whole.length > 0 ? whole : components.filter((one) => wordsOf(one.name).includes(lower));
}

const wordsOf = (name: string): readonly string[] =>
  name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());

/**
 * Returns the args that a word means. The word may begin with the component, or with the component
 * and the group of the arg: `WebService.replicas` or `web.rollout.maxSurge`.
 */
function argsOf(word: string, knowledge: Knowledge, same: Same): readonly FoundArg[] {
  const all = argsNamed(word, knowledge, same);
  const [first = "", ...rest] = word.split(".");
  if (all.length > 0 || rest.length === 0) return all;
  const named = componentsNamed(first, knowledge);
  const [group = "", ...below] = rest;
  const within = (name: readonly string[]) =>
    name.length === 0 ? [] : argsNamed(name.join("."), { ...knowledge, components: named }, same);
  const found = within(rest);
  if (found.length > 0) return found;
  return within(below).filter(({ whole }) => ignoringCase(whole.doc.group ?? "", group));
}

function componentAnswer({ args, doc, name, place }: Component): Answer {
  return {
    becomes: args.map((arg) => `${name}.${arg.name}`),
    consequences: [],
    place,
    setBy: [],
    text: doc.text,
    values: [],
    what: "component",
    word: name,
    written: [],
  };
}

function answersBy(word: string, knowledge: Knowledge, same: Same): readonly Answer[] {
  const key = word.replace(new RegExp(`^${service}:`), "");
  const settings = settingKeys.filter((one) => same(one, key));
  const [first = "", ...path] = steps(word);
  const kinds = kindsOf(knowledge).filter((kind) => same(kind, first));
  const components = knowledge.components.filter(({ name }) => same(name, word));
  const args = argAnswers(argsOf(word, knowledge, same), knowledge);
  const uses = ({ values }: Answer): number => values.flatMap(({ stacks }) => stacks).length;
  return [
    // Of the answers about args, the answer with values in the most stacks comes first.
    ...[...args].sort((a, b) => uses(b) - uses(a)),
    ...settings.flatMap((one) => settingAnswer(one, knowledge) ?? []),
    ...components.map(componentAnswer),
    ...kinds.flatMap((kind) => fieldAnswer(kind, path, knowledge) ?? []),
  ];
}

/** Returns the words that are most similar to an unknown word. */
function similarTo(word: string, knowledge: Knowledge): readonly string[] {
  const [first = "", ...path] = steps(word);
  const kind = kindsOf(knowledge).find((one) => ignoringCase(one, first));
  const known =
    kind === undefined || path.length === 0
      ? [
          ...knowledge.components.flatMap(({ args, name }) => [
            name,
            ...args.flatMap((arg) => [arg.name, `${name}.${arg.name}`]),
          ]),
          ...settingKeys,
          ...kindsOf(knowledge),
        ]
      : siblingsOf(kind, path, knowledge);
  const far = Math.max(2, Math.floor(word.length / 3));
  return [...new Set(known)]
    .map((one) => ({ away: distance(one.toLowerCase(), word.toLowerCase()), one }))
    .filter(({ away }) => away <= far)
    .sort((a, b) => a.away - b.away || (a.one < b.one ? -1 : 1))
    .slice(0, suggestions)
    .map(({ one }) => one);
}

/**
 * Returns the answers about a word: an arg, a setting, a component, a kind of object, or a field.
 * If no name is exactly the same as the word, the function ignores the difference between upper and
 * lower case.
 *
 * @throws UnknownWord with the most similar words, if nothing has this name.
 */
export function answersTo(word: string, knowledge: Knowledge): readonly Answer[] {
  const exact = answersBy(word, knowledge, exactly);
  const found = exact.length > 0 ? exact : answersBy(word, knowledge, ignoringCase);
  if (found.length > 0) return found;
  const similar = similarTo(word, knowledge).map((one) => `"${one}"`);
  const hint =
    similar.length === 0
      ? "Name an arg, an object or a field, such as replicas, Deployment or Deployment.spec.strategy."
      : `Did you mean ${similar.join(" or ")}?`;
  throw new UnknownWord(`No arg, setting, component, object or field is called "${word}". ${hint}`);
}
