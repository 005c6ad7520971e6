import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "./errors";
import { junitOf } from "./junit";
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
  readonly #causes: string[] = [];
  readonly #details: string[] = [];
  readonly #directory: string;
  readonly #junitFile: string;

  /**
   * @param directory what one job of a pipeline leaves for another
   * @param testResults not shared: jobs side by side may not leave the same file for a third one
   */
  constructor(directory: string, testResults: string) {
    this.#directory = directory;
    this.#junitFile = join(testResults, "command.xml");
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
    this.#causes.push(text);
    mkdirSync(this.#directory, { recursive: true });
    appendFileSync(this.#causeFile, `${text}\n`);
  }

  /** Adds what explains the causes, such as the last lines of a log. */
  addDetail(text: string): void {
    this.#details.push(text);
  }

  /**
   * Runs a command. If it fails, `cause.txt` contains its reasons, and none of earlier commands.
   * `command.xml` shows the command as a JUnit test, which also contains the details.
   *
   * @param command as a person types it
   */
  async leavingCause(command: string, work: () => Promise<void>): Promise<void> {
    rmSync(this.#causeFile, { force: true });
    rmSync(this.#junitFile, { force: true });
    this.#causes.length = 0;
    this.#details.length = 0;
    const began = performance.now();
    try {
      await work();
    } catch (error) {
      this.addCause(messageOf(error));
      throw error;
    } finally {
      const seconds = (performance.now() - began) / 1000;
      const result = { causes: this.#causes, command, details: this.#details, seconds };
      write(this.#junitFile, junitOf(result));
    }
  }

  get #causeFile(): string {
    return join(this.#directory, "cause.txt");
  }

  #leave(name: string, content: object): void {
    write(join(this.#directory, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, text);
}

/** The reports of this project, where the pipelines read them. Not in git. */
export const reports = new Reports(join(project, "reports"), join(project, "test-results"));
