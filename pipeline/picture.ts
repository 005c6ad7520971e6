import { contextOf } from "./contexts";
import type { Place, Workflow } from "./model";

/** A workflow as a Mermaid flowchart, which GitHub draws. Dotted arrows are taken when something went wrong. */
export function picture(workflow: Workflow): string {
  const lines = ["flowchart LR"];
  const places = workflow.jobs.flatMap((entry): (readonly [string, Place])[] =>
    typeof entry === "string" ? [[entry, {}]] : Object.entries(entry),
  );
  for (const [name, place] of places) {
    const id = name.replaceAll("-", "_");
    const shape = place.type === "approval" ? `{{"${name}"}}` : `["${name}"]`;
    lines.push(`  ${id}${shape}${style(place)}`);
  }
  for (const [name, { requires = [] }] of places) {
    for (const requirement of requires) {
      const [from = "", arrow] =
        typeof requirement === "string"
          ? [requirement, "-->"]
          : [Object.keys(requirement)[0], "-.->"];
      lines.push(`  ${from.replaceAll("-", "_")} ${arrow} ${name.replaceAll("-", "_")}`);
    }
  }
  return `${[...lines, ...classes].join("\n")}\n`;
}

const classes = [
  "  classDef approval fill:#fff3bf,stroke:#e67700,color:#000",
  "  classDef production fill:#ffe3e3,stroke:#c92a2a,color:#000",
];

function style({ context = [], type }: Place): string {
  if (type === "approval") return ":::approval";
  return context.some((name) => contextOf(name)?.changesProduction) ? ":::production" : "";
}
