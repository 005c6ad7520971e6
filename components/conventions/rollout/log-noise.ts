/**
 * Matches lines of a log that say nothing about a failure: empty lines, and the line that each JVM
 * prints about its options.
 */
const noise = /^\s*$|^Picked up JAVA_TOOL_OPTIONS:/;

/**
 * Returns whether a line of a container's log says nothing about a failure. Reports leave out such
 * a line.
 */
export const isNoise = (line: string): boolean => noise.test(line);
