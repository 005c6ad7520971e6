import type { Finding, Path, Source } from "./source";
import { mapping } from "./shape";

/**
 * The allowed keys. `*` is any name; a list has the rule of its elements. `true` is a value that is
 * not checked.
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
          // An orb's step. Another check finds out whether the orb exists.
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
 * Unknown keys. CircleCI ignores many of them: a job with a misspelt `requires` would wait for
 * nothing.
 */
export function keys(source: Source): readonly Finding[] {
  return look(source, source.content, known, []);
}

function look(source: Source, value: unknown, rule: Known, path: Path): readonly Finding[] {
  if (rule === true || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const [element] = Array.isArray(rule) ? (rule as readonly [Known]) : [undefined];
    return element === undefined
      ? [source.value(path, `${where(path)} must not be a list`)]
      : value.flatMap((item, index) => look(source, item, element, [...path, index]));
  }
  if (Array.isArray(rule)) return [source.value(path, `${where(path)} must be a list`)];
  const allowed = rule as Readonly<Record<string, Known>>;
  return Object.entries(mapping(value)).flatMap(([key, inside]) => {
    const next = allowed[key] ?? (key.includes("/") ? allowed["*/*"] : undefined) ?? allowed["*"];
    return next === undefined
      ? [
          source.key(
            [...path, key],
            `${where(path)} has no key "${key}"; known are ${Object.keys(allowed).join(", ")}`,
          ),
        ]
      : look(source, inside, next, [...path, key]);
  });
}

function where(path: Path): string {
  return path.length === 0 ? "the file" : `"${path.join(".")}"`;
}
