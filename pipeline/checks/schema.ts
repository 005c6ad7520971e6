import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import type { Finding, Source } from "./source";

/** Error if CircleCI's schema is not on this machine, and the download failed. */
export class SchemaMissing extends UserError {}

const requirements = join(project, "pipeline", "requirements.txt");
const inPackage = join("check_jsonschema", "builtin_schemas", "vendor", "circle-ci.json");

/**
 * Returns a validator for CircleCI's own schema. The schema comes from the PyPI package that
 * `requirements.txt` pins by its hash. pip downloads the package once, with the pip settings of
 * this machine. The function stores the schema under node_modules, so the next run works offline.
 *
 * @throws SchemaMissing if Python or pip is missing, or if pip cannot download the package
 */
export async function circleciSchema(): Promise<ValidateFunction> {
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const kept = join(
    project,
    "node_modules",
    ".cache",
    "circleci-schema",
    `${version.slice(0, 16)}.json`,
  );
  if (!existsSync(kept)) await fetchSchema(kept);
  const ajv = new Ajv({ logger: false, strict: false });
  return ajv.compile(JSON.parse(readFileSync(kept, "utf8")) as object);
}

async function fetchSchema(kept: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "circleci-schema-"));
  const python = (...args: readonly string[]) =>
    command("python3", ["-m", ...args], { timeout: 120_000 });
  try {
    await python(
      ...["pip", "download", "--quiet", "--no-deps", "--require-hashes"],
      ...["--requirement", requirements, "--dest", work],
    );
    const wheel = readdirSync(work).find((name) => name.endsWith(".whl")) ?? "";
    await python("zipfile", "--extract", join(work, wheel), work);
    mkdirSync(dirname(kept), { recursive: true });
    const whole = `${kept}.${String(process.pid)}`;
    copyFileSync(join(work, inPackage), whole);
    renameSync(whole, kept);
  } catch (error) {
    const cause = (error instanceof Error ? error.message : String(error))
      .trim()
      .split("\n")
      .at(-1);
    throw new SchemaMissing(
      `CircleCI's schema could not be fetched by "python3 -m pip download --requirement pipeline/requirements.txt": ${cause ?? ""}`,
    );
  } finally {
    rmSync(work, { force: true, recursive: true });
  }
}

/**
 * Returns a list with one finding, at the place where a file violates CircleCI's schema. If the
 * file follows the schema, the list is empty.
 */
export function againstSchema(source: Source, schema: ValidateFunction): readonly Finding[] {
  if (schema(source.content)) return [];
  const error = deepest(schema.errors ?? []);
  if (error === undefined) return [];
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return [source.value(path, `CircleCI's schema: ${error.message ?? "is not allowed"}`)];
}

/**
 * Returns the error with the longest path. If a value matches none of several alternatives in the
 * schema, each alternative has errors. The error with the longest path probably belongs to the
 * alternative that the author meant.
 */
function deepest(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split("/").length;
  return errors.reduce<ErrorObject | undefined>(
    (best, error) => (best === undefined || depth(error) > depth(best) ? error : best),
    undefined,
  );
}
