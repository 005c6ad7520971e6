import * as v from "valibot";
import { isNoise } from "../../components/conventions/rollout/log-noise";
import { parsedJson } from "../../lib/json";

/** Largest number of lines of a container's log that the report shows. */
const mostLines = 20;
/** Largest number of frames of each exception in a stack trace that the report shows. */
const mostFrames = 3;
/** Largest number of characters of one log line that the report shows. */
const lineLength = 300;
/** A frame of a stack trace, or the line with the number of frames that the JVM has omitted. */
const frame = /^\s+(?:at\s|\.{3} \d+ )/;

/** The fields of the service's log lines that help to find a cause. */
const entry = v.object({
  level: v.optional(v.string(), ""),
  message: v.string(),
  stack_trace: v.optional(v.string(), ""),
});

/**
 * Returns the last lines of a log, in a form that people can read. From a line in JSON, the
 * function takes only the level, the message and the stack trace. A stack trace keeps all its
 * causes, but only the first frames of each cause.
 */
export function lastLines(log: string): readonly string[] {
  const lines = log
    .split("\n")
    .flatMap(readable)
    .filter((line) => !isNoise(line));
  return withFewFrames(lines)
    .slice(-mostLines)
    .map((line) => line.slice(0, lineLength));
}

function readable(line: string): readonly string[] {
  if (!line.startsWith("{")) return [line];
  const said = parsedJson(entry, line);
  if (said === undefined) return [line];
  return [`${said.level} ${said.message}`.trim(), ...said.stack_trace.split("\n")];
}

/** Keeps the first frames of each exception, and counts the other frames. */
function withFewFrames(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let frames = 0;
  const endOfFrames = (): void => {
    if (frames > mostFrames) kept.push(`    ... ${String(frames - mostFrames)} more`);
    frames = 0;
  };
  for (const line of lines) {
    if (frame.test(line)) {
      frames += 1;
      if (frames <= mostFrames) kept.push(line.replace(/^\s+/, "    "));
    } else {
      endOfFrames();
      kept.push(line);
    }
  }
  endOfFrames();
  return kept;
}
