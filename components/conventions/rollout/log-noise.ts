/** Lines of a log that say nothing about a failure: empty ones, and what each JVM prints first. */
const noise = /^\s*$|^Picked up JAVA_TOOL_OPTIONS:/;

/** Returns whether a line of a container's log says nothing, and no output should show it. */
export const isNoise = (line: string): boolean => noise.test(line);
