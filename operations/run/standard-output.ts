/**
 * Writes bytes to standard output.
 *
 * @throws Error if the program that reads the output has closed its input
 */
export async function toStandardOutput(part: Buffer): Promise<void> {
  // If the reader of the output closes the pipe, a process without a listener for the event "error"
  // ends with a stack trace.
  if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(part, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
