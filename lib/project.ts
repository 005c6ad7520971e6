import { join } from "node:path";

/** Absolute path of the root directory of this repository. */
export const project = join(import.meta.dirname, "..");
