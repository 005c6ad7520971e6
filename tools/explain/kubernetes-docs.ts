import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import { project } from "../../lib/project";
import { unwrapped } from "./components";

/** A field of a Kubernetes API type. */
interface KubernetesField {
  readonly isList: boolean;
  readonly text: string;
  /**
   * Name of the field's type, such as `apps.v1.DeploymentSpec`. Undefined if the field contains a
   * plain value, such as a string.
   */
  readonly type?: string;
}

interface KubernetesType {
  readonly fields: ReadonlyMap<string, KubernetesField>;
  readonly text: string;
}

/** The documentation that Kubernetes has for an object or a field. */
export interface KubernetesDoc {
  /** Names of the subfields. Empty for a plain value, and for a map whose keys may be any text. */
  readonly below: readonly string[];
  /**
   * Path of the field. If the field is inside a list, and the question names no element of the
   * list, `[*]` follows the name of the list.
   */
  readonly path: string;
  readonly text: string;
}

function textOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return unwrapped(ts.getTextOfJSDocComment(docs.at(-1)?.comment) ?? "");
}

function fieldOf(member: ts.PropertySignature): KubernetesField {
  const written = member.type?.getText() ?? "";
  const type = /\binputs\.([\w.]+)/.exec(written)?.[1];
  const isList = /\[\]/.test(written);
  return { isList, text: textOf(member), ...(type === undefined ? {} : { type }) };
}

/** File with the input types of Pulumi's Kubernetes package. */
const file = join(
  dirname(createRequire(join(project, "package.json")).resolve("@pulumi/kubernetes/package.json")),
  "types",
  "input.d.ts",
);

/**
 * Returns a number for the API version of a type, to compare versions. The number of a stable
 * version is higher than the number of a beta version, and alpha versions have the lowest numbers.
 * Of two stable versions, the newer version has the higher number.
 */
function rank(type: string): number {
  if (type === "") return -1;
  const [, major = "0", stage, minor = "0"] = /\.v(\d+)(alpha|beta)?(\d+)?\./.exec(type) ?? [];
  const stages: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };
  return (stages[stage ?? ""] ?? 2) * 10_000 + Number(major) * 100 + Number(minor);
}

/** The documentation of Kubernetes' objects and fields, from the types of Pulumi's package. */
export class KubernetesDocs {
  /** Declarations of all types. `#typeNamed` reads a type only when an answer needs it. */
  readonly #declared = new Map<string, ts.InterfaceDeclaration>();
  /**
   * The type of each kind of object. If a kind has several API versions, the type is from the
   * version for which `rank` returns the highest number.
   */
  readonly #objects = new Map<string, string>();
  readonly #read = new Map<string, KubernetesType>();

  constructor() {
    const source = ts.createSourceFile(
      file,
      readFileSync(file, "utf8"),
      ts.ScriptTarget.Latest,
      true,
    );
    const add = (prefix: string, node: ts.Node): void => {
      if (ts.isInterfaceDeclaration(node)) this.#declared.set(`${prefix}${node.name.text}`, node);
      if (!ts.isModuleDeclaration(node) || node.body === undefined) return;
      const name = `${prefix}${node.name.text}.`;
      ts.forEachChild(node.body, (one) => {
        add(name, one);
      });
    };
    ts.forEachChild(source, (node) => {
      add("", node);
    });
    for (const [type, { members }] of this.#declared) {
      if (!members.some(({ name }) => name?.getText() === "apiVersion")) continue;
      const kind = type.split(".").at(-1) ?? "";
      if (rank(type) > rank(this.#objects.get(kind) ?? "")) this.#objects.set(kind, type);
    }
  }

  /** Returns the type of a kind of object, such as `apps.v1.Deployment`. */
  typeOf(kind: string): string | undefined {
    return this.#objects.get(kind);
  }

  #typeNamed(type: string): KubernetesType | undefined {
    const known = this.#read.get(type);
    const node = this.#declared.get(type);
    if (known !== undefined || node === undefined) return known;
    const members = node.members.filter(ts.isPropertySignature);
    const fields = new Map(members.map((one) => [one.name.getText(), fieldOf(one)]));
    const found = { fields, text: textOf(node) };
    this.#read.set(type, found);
    return found;
  }

  /**
   * Returns the documentation of a kind, or of a field of a kind. `steps` are the steps of the
   * field's path: names, and elements of lists, such as `[*]`. Undefined if Kubernetes has no such
   * field.
   */
  find(kind: string, steps: readonly string[]): KubernetesDoc | undefined {
    const root = this.typeOf(kind);
    const whole = root === undefined ? undefined : this.#typeNamed(root);
    if (whole === undefined) return undefined;
    let type: KubernetesType | undefined = whole;
    let text = whole.text;
    let path = "";
    let inList = false;
    for (const step of steps) {
      if (step.startsWith("[")) {
        path += step;
        inList = false;
        continue;
      }
      if (inList) path += "[*]";
      const field: KubernetesField | undefined = type?.fields.get(step);
      if (type !== undefined && field === undefined) return undefined;
      path += /^[\w-]+$/.test(step) ? `${path === "" ? "" : "."}${step}` : `["${step}"]`;
      // Kubernetes does not document the individual keys of a map, such as the keys in `labels`.
      // For such a key, the result contains the text about the map.
      text = field?.text ?? text;
      inList = field?.isList ?? false;
      type = field?.type === undefined ? undefined : this.#typeNamed(field.type);
    }
    return { below: type === undefined ? [] : [...type.fields.keys()].sort(), path, text };
  }
}
