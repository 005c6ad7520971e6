import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";

/** Puts what `make` makes at a path in the place of what is there. */
function replace(path: string, make: (path: string) => void): void {
  // Another process may do the same.
  const made = `${path}.${String(process.pid)}.new`;
  rmSync(made, { force: true });
  make(made);
  renameSync(made, path);
}

/** Writes a file. No reader sees a part of the content, even if this process is killed. */
export function replaceFile(path: string, content: string, mode = 0o666): void {
  replace(path, (made) => {
    writeFileSync(made, content, { mode });
  });
}

/** Makes a symbolic link. If there is one already, the path exists at every moment. */
export function replaceLink(path: string, target: string): void {
  replace(path, (made) => {
    symlinkSync(target, made);
  });
}
