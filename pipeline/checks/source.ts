import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";

/** An issue in a pipeline's file, with its position. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Path to a part of the file: keys and list indexes. */
export type Path = readonly (string | number)[];

/** Parsed text of a pipeline's file, with the positions of all parts. */
export class Source {
  readonly file: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  readonly faults: readonly Finding[];

  constructor(file: string, text: string) {
    this.file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines });
    this.faults = this.#document.errors.map(({ message, pos }) =>
      this.#at(pos[0], `is not YAML: ${message.split("\n")[0] ?? ""}`),
    );
  }

  get content(): unknown {
    return this.#document.toJS() as unknown;
  }

  /**
   * Returns a finding at the start of the value at `path`. If the value is a plain YAML text
   * (without quotes, not folded), the position of the finding is `characters` characters after this
   * start.
   */
  value(path: Path, message: string, characters = 0): Finding {
    const node = this.#document.getIn(path, true);
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range;
    if (range?.[0] === undefined) return this.#above(path, message);
    // In a quoted or folded text, the positions of characters in the file differ from the positions
    // in the parsed text. So for such a text, the finding points to the start.
    const plain = isScalar(node) && node.type === "PLAIN";
    return this.#at(range[0] + (plain ? characters : 0), message);
  }

  /**
   * Returns a finding at the last key of `path`. If `path` ends with a list index, returns a
   * finding at the element with this index.
   */
  key(path: Path, message: string): Finding {
    const [name] = path.slice(-1);
    const parent =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(name))
      : undefined;
    const range = (pair?.key as { readonly range?: readonly number[] } | undefined)?.range;
    return range?.[0] === undefined ? this.value(path, message) : this.#at(range[0], message);
  }

  /**
   * Returns a finding at the nearest existing parent of a missing part, because the missing part
   * has no position.
   */
  #above(path: Path, message: string): Finding {
    return path.length === 0 ? this.#at(0, message) : this.key(path.slice(0, -1), message);
  }

  #at(offset: number, message: string): Finding {
    const { col, line } = this.#lines.linePos(offset);
    return { column: Math.max(col, 1), file: this.file, line: Math.max(line, 1), message };
  }
}

/**
 * Returns a finding as a text, such as `.circleci/config.yml:12:5: job "x" is in no workflow`. Many
 * editors and terminals show this form as a link.
 */
export function show({ column, file, line, message }: Finding): string {
  return `${file}:${String(line)}:${String(column)}: ${message}`;
}
