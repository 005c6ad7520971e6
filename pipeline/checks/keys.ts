import type { Finding, Path, Source } from "./source";

/**
 * Rule for a value in the file. A rule in the form of a mapping contains the allowed keys, with a
 * rule for the value of each key. The key `*` stands for any name. A rule in the form of a list
 * contains the rule for each element. `true` allows any value.
 */
type Known = true | readonly [Known] | { readonly [key: string]: Known };

const cache = { key: true, keys: [true], name: true, paths: [true], when: true } as const;
const run = { command: true, name: true, no_output_timeout: true, when: true } as const;
const names = { "*": true } as const;

const known: Known = {
  executors: { "*": { docker: [{ image: true }], environment: names, resource_class: true } },
  jobs: {
    "*": {
      environment: names,
      executor: true,
      steps: [
        {
          attach_workspace: { at: true },
          persist_to_workspace: { paths: [true], root: true },
          restore_cache: cache,
          run,
          save_cache: cache,
          setup_remote_docker: { version: true },
          store_artifacts: { path: true },
          store_test_results: { path: true },
          // A step of an orb. This check does not verify that the orb exists.
          "*/*": names,
        },
      ],
    },
  },
  orbs: names,
  parameters: { "*": { default: true, description: true, enum: [true], type: true } },
  version: true,
  workflows: {
    "*": {
      jobs: [{ "*": { context: true, requires: [names], "serial-group": true, type: true } }],
      when: true,
    },
  },
};

/**
 * Yields a finding for each unknown key. CircleCI ignores many unknown keys. For example, a job
 * with a misspelled `requires` would not wait for other jobs.
 */
export function* keys(source: Source): Generator<Finding> {
  yield* look(source, source.content, known, []);
}

function* look(source: Source, value: unknown, rule: Known, path: Path): Generator<Finding> {
  if (rule === true || typeof value !== "object" || value === null) return;
  const where = path.length === 0 ? "the file" : `"${path.join(".")}"`;
  const isList = Array.isArray(rule);
  if (Array.isArray(value) !== isList) {
    yield source.value(path, `${where} must ${isList ? "" : "not "}be a list`);
    return;
  }
  const allowed = rule as Readonly<Record<string, Known>>;
  for (const [key, inside] of Object.entries(value) as [string, unknown][]) {
    const next = isList
      ? allowed[0]
      : (allowed[key] ?? (key.includes("/") ? allowed["*/*"] : undefined) ?? allowed["*"]);
    const here = [...path, isList ? Number(key) : key];
    if (next === undefined) {
      const names = Object.keys(allowed).join(", ");
      yield source.key(here, `${where} has the unknown key "${key}"; use one of ${names}`);
    } else yield* look(source, inside, next, here);
  }
}
