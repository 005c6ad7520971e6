import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";

/** An issue in a pipeline's file, with the place to fix. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Keys and list positions that lead to a part of the file. */
export type Path = readonly (string | number)[];

/** A pipeline as read from its file, so manual edits are included. */
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

  /** A finding at the value that `path` leads to, or at a character inside it. */
  value(path: Path, message: string, characters = 0): Finding {
    const node = this.#document.getIn(path, true);
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range;
    if (range?.[0] === undefined) return this.#above(path, message);
    // In a quoted or folded text the position of a character is not computed.
    const plain = isScalar(node) && node.type === "PLAIN";
    return this.#at(range[0] + (plain ? characters : 0), message);
  }

  /** A finding at the last key of `path`, or at the value if it is an element of a list. */
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

  /** A missing part has no position: use the nearest part above it. */
  #above(path: Path, message: string): Finding {
    return path.length === 0 ? this.#at(0, message) : this.key(path.slice(0, -1), message);
  }

  #at(offset: number, message: string): Finding {
    const { col, line } = this.#lines.linePos(offset);
    return { column: Math.max(col, 1), file: this.file, line: Math.max(line, 1), message };
  }
}

/** `.circleci/config.yml:12:5: what is wrong`, which editors and terminals show as a link. */
export function show({ column, file, line, message }: Finding): string {
  return `${file}:${String(line)}:${String(column)}: ${message}`;
}
