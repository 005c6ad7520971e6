import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Events, readEvents, type Step } from "../../../operations/pulumi/events";

/** Directory of event logs that test/end-to-end/preview.test.ts recorded and shortened. */
const directory = join(import.meta.dirname, "..", "preview", "recorded");

export function recorded(name: string): Events {
  return readEvents(readFileSync(join(directory, `${name}.jsonl`), "utf8"));
}

const kept = /^\{"sequence":(\d+),"timestamp":\d+,"(?:diagnostic|policy|resourcePre|summary)Event"/;

/**
 * Returns an event log with only the parts that the preview reads. Removes outputs, resources that
 * do not change, and messages of the levels debug and info.
 */
export function trimmed(log: string): string {
  const lines = log
    .split("\n")
    .filter((line) => kept.test(line) && !/"severity":"(?:debug|info)/.test(line))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const changed = lines.filter((event) => stepOf(event)?.op !== "same");
  return changed.map((event) => `${JSON.stringify(lean(event))}\n`).join("");
}

function stepOf(event: Readonly<Record<string, unknown>>): Step | undefined {
  return (event["resourcePreEvent"] as { metadata: Step } | undefined)?.metadata;
}

function lean(event: Readonly<Record<string, unknown>>): object {
  const metadata = stepOf(event);
  const same = { sequence: event["sequence"], timestamp: 0 };
  if (metadata === undefined) return { ...event, timestamp: 0 };
  const state = (one: Step["old"]) =>
    one === null || one === undefined
      ? one
      : {
          inputs: one.inputs,
          parent: one.parent,
          ...(one.protect === true ? { protect: true } : {}),
          type: one.type,
          urn: one.urn,
        };
  const { detailedDiff, keys, op, type, urn } = metadata;
  return {
    ...same,
    resourcePreEvent: {
      metadata: {
        op,
        urn,
        type,
        old: state(metadata.old),
        new: state(metadata.new),
        keys,
        detailedDiff,
      },
    },
  };
}
