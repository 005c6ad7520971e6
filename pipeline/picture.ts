import { contextOf } from "./contexts";
import type { Place, Requirement, Workflow } from "./model";

/**
 * Returns a workflow as a Mermaid flowchart, which GitHub shows as a picture. The flowchart does
 * not contain jobs that run only if another job does not succeed. There are many such jobs, and
 * these jobs would hide the main path.
 */
export function picture(workflow: Workflow): string {
  const lines = ["flowchart LR"];
  const places = workflow.jobs
    .flatMap((entry): (readonly [string, Place])[] =>
      typeof entry === "string" ? [[entry, {}]] : Object.entries(entry),
    )
    .filter(([, { requires = [] }]) => requires.every(goesOn));
  for (const [name, place] of places) {
    const shape = place.type === "approval" ? `{{"${name}"}}` : `["${name}"]`;
    lines.push(`  ${id(name)}${shape}${style(place)}`);
  }
  for (const [name, { requires = [] }] of places) {
    for (const from of requires) {
      const [of = ""] = typeof from === "string" ? [from] : Object.keys(from);
      lines.push(`  ${id(of)} --> ${id(name)}`);
    }
  }
  return `${[...lines, ...classes].join("\n")}\n`;
}

/** Whether a requirement is satisfied if all jobs succeed. */
const goesOn = (one: Requirement): boolean =>
  typeof one === "string" ||
  Object.values(one).every((ends) => ends === "terminal" || ends.includes("success"));

const id = (name: string): string => name.replaceAll("-", "_");

const classes = [
  "  classDef approval fill:#fff3bf,stroke:#e67700,color:#000",
  "  classDef production fill:#ffe3e3,stroke:#c92a2a,color:#000",
];

function style({ context = [], type }: Place): string {
  if (type === "approval") return ":::approval";
  return context.some((name) => contextOf(name)?.changesProduction) ? ":::production" : "";
}
