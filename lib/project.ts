import { join } from "node:path";

/** Directory of this repository. */
export const project = join(import.meta.dirname, "..");
