import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";

/** Replaces the file or link at a path by the one that `make` creates. The change is atomic. */
function replace(path: string, make: (path: string) => void): void {
  // Another process may replace the same path now, so each process uses another temporary name.
  const made = `${path}.${String(process.pid)}.new`;
  rmSync(made, { force: true });
  make(made);
  renameSync(made, path);
}

/** Writes a file atomically. Readers never see incomplete content, even after a kill. */
export function replaceFile(path: string, content: string, mode = 0o666): void {
  replace(path, (made) => {
    writeFileSync(made, content, { mode });
  });
}

/** Creates or replaces a symbolic link. During a replacement, the path always exists. */
export function replaceLink(path: string, target: string): void {
  replace(path, (made) => {
    symlinkSync(target, made);
  });
}
