/** Port of the debugger in the JVM, and by default also on the person's machine. */
export const debuggerPort = 5005;

/**
 * Returns the JVM option that starts the debugger (JDWP). The debugger listens on the pod's
 * loopback address, so from outside the pod, only `kubectl port-forward` can connect to the
 * debugger.
 *
 * @param suspend whether the JVM waits for a debugger before it runs the main class
 */
export function jdwpOption(port: number, suspend = false): string {
  const waits = suspend ? "y" : "n";
  return `-agentlib:jdwp=transport=dt_socket,server=y,suspend=${waits},address=127.0.0.1:${String(port)}`;
}
