import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";

/** Atomically replaces the file or link at a path with the file or link that `make` creates. */
function replace(path: string, make: (path: string) => void): void {
  // Two processes may replace the same path at the same time, so each process uses its own
  // temporary name.
  const made = `${path}.${String(process.pid)}.new`;
  rmSync(made, { force: true });
  make(made);
  renameSync(made, path);
}

/**
 * Writes a file atomically. Other processes never read incomplete content, even if this process is
 * killed.
 */
export function replaceFile(path: string, content: string, mode = 0o666): void {
  replace(path, (made) => {
    writeFileSync(made, content, { mode });
  });
}

/**
 * Creates or replaces a symbolic link. If the link already exists, the path exists at every moment
 * of the replacement.
 */
export function replaceLink(path: string, target: string): void {
  replace(path, (made) => {
    symlinkSync(target, made);
  });
}
