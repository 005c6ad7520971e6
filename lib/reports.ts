import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "./errors";
import { project } from "./project";
import { replaceFile } from "./replace";

/** What `npm run notify` reports about a stack that was changed. */
export interface Deployed {
  /** What changed, in one line. Absent if no preview was shown. */
  readonly changed?: string;
  readonly seconds: number;
  readonly stack: string;
  readonly url: string;
}

/** What commands write for later jobs of a pipeline: digest, what was deployed, why it failed. */
export class Reports {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The image that `npm run image` has pushed: it is scanned next. */
  leaveImage(imageRef: string): void {
    this.#leave("image.json", { imageRef });
  }

  leaveDeployed(deployed: Deployed): void {
    this.#leave("deployed.json", deployed);
  }

  /** Records that a stack was removed. */
  leaveRemoved(stack: string): void {
    this.#leave("removed.json", { stack });
  }

  /** Adds a reason why the running command will fail. */
  addCause(text: string): void {
    mkdirSync(this.#directory, { recursive: true });
    appendFileSync(this.#causeFile, `${text}\n`);
  }

  /**
   * Runs a command. If it fails, `cause.txt` contains its reasons, and none of earlier commands.
   */
  async leavingCause(work: () => Promise<void>): Promise<void> {
    rmSync(this.#causeFile, { force: true });
    try {
      await work();
    } catch (error) {
      this.addCause(messageOf(error));
      throw error;
    }
  }

  get #causeFile(): string {
    return join(this.#directory, "cause.txt");
  }

  #leave(name: string, content: object): void {
    mkdirSync(this.#directory, { recursive: true });
    replaceFile(join(this.#directory, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

/** The reports of this project, where the pipelines read them. Not in git. */
export const reports = new Reports(join(project, "reports"));
