/**
 * Matches lines of a log that do not help to explain a failure: empty lines, and the line that each
 * JVM prints about its options.
 */
const noise = /^\s*$|^Picked up JAVA_TOOL_OPTIONS:/;

/**
 * Returns whether a line of a container's log does not help to explain a failure. Reports do not
 * contain such lines.
 */
export const isNoise = (line: string): boolean => noise.test(line);
