import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "./errors";
import { junitOf } from "./junit";
import { project } from "./project";
import { replaceFile } from "./replace";

/**
 * The result of a deploy, which later jobs of the pipeline read. `npm run notify` shows the result
 * in its message. `npm run smoke` and `npm run promote` fail if the stack no longer runs the commit
 * and the image of this result.
 */
export interface Deployed {
  /** What changed, in one line. Undefined if the deploy showed no preview. */
  readonly changed?: string;
  /** Commit from which BuildKit built the image. */
  readonly commit: string;
  readonly imageRef: string;
  readonly seconds: number;
  readonly stack: string;
  readonly url: string;
}

/** Writes the files that a command leaves for later jobs of a pipeline, such as `cause.txt`. */
export class Reports {
  readonly #causes: string[] = [];
  readonly #details: string[] = [];
  readonly #directory: string;
  readonly #junitFile: string;

  /**
   * @param directory for files that later jobs of the pipeline read
   * @param testResults directory for the JUnit report. Later jobs do not get this report, because
   * CircleCI does not allow two parallel jobs to store a file with the same path in the workspace.
   */
  constructor(directory: string, testResults: string) {
    this.#directory = directory;
    this.#junitFile = join(testResults, "command.xml");
  }

  /**
   * Records the image that a command has pushed. A later job scans this image.
   *
   * @param builtFrom branch and commit of the image's code, if a later job starts the image as a
   * canary
   */
  leaveImage(
    imageRef: string,
    builtFrom: { readonly branch?: string; readonly commit?: string } = {},
  ): void {
    this.#leave("image.json", { imageRef, ...builtFrom });
  }

  /** Records the result of a deploy. */
  leaveDeployed(deployed: Deployed): void {
    this.#leave("deployed.json", deployed);
  }

  /** Records that a command has removed a stack. */
  leaveRemoved(stack: string): void {
    this.#leave("removed.json", { stack });
  }

  /** Adds one reason why the running command failed. */
  addCause(text: string): void {
    this.#causes.push(text);
    this.#leaveCauses();
  }

  /** Adds a text that explains the causes, such as the last lines of a log. */
  addDetail(text: string): void {
    this.#details.push(text);
    this.#leaveCauses();
  }

  /**
   * Runs `work`, the action of a command. First, this method removes `cause.txt` and `command.xml`,
   * which may be about an earlier command. If `work` fails, this method writes the causes and
   * details of this failure into `cause.txt`. This method always writes `command.xml`, a JUnit
   * report with the result of the command.
   *
   * @param command the command as a person types it
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

  /** The causes that the running command has added so far, and then the details. */
  get failure(): string {
    return [...this.#causes, ...this.#details.map((text) => `\n${text}`)].join("\n");
  }

  #leaveCauses(): void {
    write(this.#causeFile, `${this.failure}\n`);
  }

  #leave(name: string, content: object): void {
    write(join(this.#directory, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, text);
}

/**
 * The reports of this project, in the directories that the pipelines read. Git ignores these
 * directories.
 */
export const reports = new Reports(join(project, "reports"), join(project, "test-results"));
