import type { Finding, Source } from "./source";
import { filledIn, list, mapping, named, text, workflowsOf } from "./shape";

/** CircleCI's resource classes for containers. */
const resourceClasses = [
  ...["small", "medium", "medium+", "large", "xlarge", "2xlarge", "2xlarge+"],
  ...["arm.medium", "arm.large", "arm.xlarge", "arm.2xlarge"],
];
/** Form of the resource class of a self-hosted runner: `namespace/name`. */
const runnerClass = /^[a-z\d][\w-]*\/[\w.-]+$/i;
const parameterTypes = ["string", "boolean", "integer", "enum"];
const pinnedOrb = /^[\w-]+\/[\w-]+@\d+\.\d+\.\d+$/;
const pinnedImage = /(?::\d+\.\d+\.\d+(?:[-.][\w.-]+)?|@sha256:[0-9a-f]{64})$/;
/**
 * Pipeline values that contain only characters that are legal in a serial group. Other values, such
 * as the name of a branch, may contain illegal characters.
 */
const legalInGroup = [
  "pipeline.event.github.pull_request.number",
  "pipeline.id",
  "pipeline.number",
  "pipeline.project.slug",
];

/**
 * Yields findings about wrong values. CircleCI would refuse some of these values only when the
 * pipeline runs. CircleCI would accept the other wrong values, such as an image without a full
 * version.
 */
export function* values(source: Source): Generator<Finding> {
  yield* executors(source);
  yield* jobs(source);
  yield* orbs(source);
  yield* parameters(source);
  yield* serialGroups(source);
}

function* executors(source: Source): Generator<Finding> {
  for (const [name, executor] of named(source, "executors")) {
    const path = ["executors", name];
    const size = executor["resource_class"];
    if (!resourceClasses.includes(text(size)) && !runnerClass.test(text(size))) {
      yield source.value(
        [...path, "resource_class"],
        `"${String(size)}" is not a resource class; use one of ${resourceClasses.join(", ")}, or a runner's namespace/name`,
      );
    }
    for (const [index, entry] of list(executor["docker"]).entries()) {
      const image = text(mapping(entry)["image"]);
      if (pinnedImage.test(image)) continue;
      yield source.value(
        [...path, "docker", index, "image"],
        `image "${image}" can change over time; name its full version (1.2.3) or its digest`,
      );
    }
  }
}

function* jobs(source: Source): Generator<Finding> {
  const there = named(source, "executors").map(([name]) => name);
  for (const [name, { executor, steps }] of named(source, "jobs")) {
    const path = ["jobs", name];
    if (executor === undefined) {
      yield source.key(path, `job "${name}" has no executor; use one of ${there.join(", ")}`);
    } else if (!there.includes(text(executor))) {
      yield source.value(
        [...path, "executor"],
        `there is no executor "${text(executor)}"; use one of ${there.join(", ")}`,
      );
    }
    for (const [index, step] of list(steps).entries()) {
      const kind = "setup_remote_docker";
      const version = mapping(mapping(step)[kind])["version"];
      if (!(kind in mapping(step)) || /^docker\d+$/.test(text(version))) continue;
      yield source.value(
        [...path, "steps", index, kind, "version"],
        `Docker's version "${String(version)}" changes over time; name a fixed version, such as docker27`,
      );
    }
  }
}

function* orbs(source: Source): Generator<Finding> {
  for (const [name, orb] of Object.entries(mapping(mapping(source.content)["orbs"]))) {
    if (pinnedOrb.test(text(orb))) continue;
    yield source.value(
      ["orbs", name],
      `orb "${typeof orb === "string" ? orb : name}" can change over time; name its full version, such as namespace/orb@1.2.3`,
    );
  }
}

function* parameters(source: Source): Generator<Finding> {
  for (const [name, parameter] of named(source, "parameters")) {
    const path = ["parameters", name];
    const { default: byItself, type } = parameter;
    const allowed = list(parameter["enum"]);
    if (!parameterTypes.includes(text(type))) {
      yield source.value(
        [...path, "type"],
        `"${String(type)}" is not a type; use one of ${parameterTypes.join(", ")}`,
      );
    } else if (type === "enum" && allowed.length === 0) {
      yield source.key(path, `parameter "${name}" is an enum without values; list them in "enum"`);
    } else if (type === "enum" && byItself !== undefined && !allowed.includes(byItself)) {
      yield source.value(
        [...path, "default"],
        `the default ${JSON.stringify(byItself)} of parameter "${name}" is not one of ${allowed.join(", ")}`,
      );
    }
  }
}

function* serialGroups(source: Source): Generator<Finding> {
  const jobOf = new Map(named(source, "jobs"));
  for (const { jobs: places } of workflowsOf(source)) {
    for (const [index, { name, path, serialGroup }] of places.entries()) {
      if (serialGroup === undefined) continue;
      const at = [...path, "serial-group"];
      const fixed = serialGroup.replace(/<<.*?>>/gs, "");
      const illegal = /[^A-Za-z0-9._/-]/.exec(fixed)?.[0];
      if (illegal !== undefined || serialGroup.length > 512 || serialGroup.trim() === "") {
        yield source.value(
          at,
          `serial group "${serialGroup}" must be 1 to 512 letters, digits and . - _ /${illegal === undefined ? "" : `, not "${illegal}"`}`,
        );
      }
      for (const value of filledIn(serialGroup).filter((one) => !legalInGroup.includes(one))) {
        yield source.value(
          at,
          `serial group "${serialGroup}" contains ${value}, which may have characters that are illegal in a serial group; use the pull request's number`,
        );
      }
      const told = text(mapping(jobOf.get(name)?.["environment"])["SERIAL_GROUP"]);
      if (told !== serialGroup) {
        yield source.value(
          at,
          `job "${name}" must have SERIAL_GROUP: "${serialGroup}" in its environment, got "${told}"; SERIAL_GROUP decides which locks the job may take over`,
        );
      }
      if (places.findIndex((other) => other.serialGroup === serialGroup) < index) {
        yield source.value(
          at,
          `serial group "${serialGroup}" is twice in one workflow, which CircleCI does not support`,
        );
      }
    }
  }
}
