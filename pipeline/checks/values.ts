import type { Finding, Source } from "./source";
import { filledIn, list, mapping, named, text, workflowsOf } from "./shape";

/** CircleCI's sizes for containers. */
const resourceClasses = [
  ...["small", "medium", "medium+", "large", "xlarge", "2xlarge", "2xlarge+"],
  ...["arm.medium", "arm.large", "arm.xlarge", "arm.2xlarge"],
];
/** The resource class of a self-hosted runner: `namespace/name`. */
const runnerClass = /^[a-z\d][\w-]*\/[\w.-]+$/i;
const parameterTypes = ["string", "boolean", "integer", "enum"];
const pinnedOrb = /^[\w-]+\/[\w-]+@\d+\.\d+\.\d+$/;
const pinnedImage = /(?::\d+\.\d+\.\d+(?:[-.][\w.-]+)?|@sha256:[0-9a-f]{64})$/;
/**
 * Values that are always legal in a serial group, whatever the branch's or the person's name is.
 */
const legalInGroup = [
  "pipeline.event.github.pull_request.number",
  "pipeline.id",
  "pipeline.number",
  "pipeline.project.slug",
];

/** Values that CircleCI refuses too late, or accepts and treats differently. */
export function values(source: Source): readonly Finding[] {
  return [
    ...executors(source),
    ...jobs(source),
    ...orbs(source),
    ...parameters(source),
    ...serialGroups(source),
  ];
}

function executors(source: Source): readonly Finding[] {
  return named(source, "executors").flatMap(([name, executor]) => {
    const path = ["executors", name];
    const size = executor["resource_class"];
    return [
      ...(resourceClasses.includes(text(size)) || runnerClass.test(text(size))
        ? []
        : [
            source.value(
              [...path, "resource_class"],
              `"${String(size)}" is not a resource class; allowed are ${resourceClasses.join(", ")}, and a runner's namespace/name`,
            ),
          ]),
      ...list(executor["docker"]).flatMap((entry, index) => {
        const image = text(mapping(entry)["image"]);
        return pinnedImage.test(image)
          ? []
          : [
              source.value(
                [...path, "docker", index, "image"],
                `image "${image}" may be another one tomorrow; name its full version (1.2.3) or its digest`,
              ),
            ];
      }),
    ];
  });
}

function jobs(source: Source): readonly Finding[] {
  const there = named(source, "executors").map(([name]) => name);
  return named(source, "jobs").flatMap(([name, { executor, steps }]) => [
    ...(executor === undefined
      ? [source.key(["jobs", name], `job "${name}" has no executor; there are ${there.join(", ")}`)]
      : there.includes(text(executor))
        ? []
        : [
            source.value(
              ["jobs", name, "executor"],
              `there is no executor "${text(executor)}"; there are ${there.join(", ")}`,
            ),
          ]),
    ...list(steps).flatMap((step, index) => {
      const version = mapping(mapping(step)["setup_remote_docker"])["version"];
      return "setup_remote_docker" in mapping(step) && !/^docker\d+$/.test(text(version))
        ? [
            source.value(
              ["jobs", name, "steps", index, "setup_remote_docker", "version"],
              `Docker's version "${String(version)}" changes over time; name one, such as docker27`,
            ),
          ]
        : [];
    }),
  ]);
}

function orbs(source: Source): readonly Finding[] {
  return Object.entries(mapping(mapping(source.content)["orbs"]))
    .filter(([, orb]) => !pinnedOrb.test(text(orb)))
    .map(([name, orb]) =>
      source.value(
        ["orbs", name],
        `orb "${typeof orb === "string" ? orb : name}" may be another one tomorrow; name its full version, such as namespace/orb@1.2.3`,
      ),
    );
}

function parameters(source: Source): readonly Finding[] {
  return named(source, "parameters").flatMap(([name, parameter]) => {
    const path = ["parameters", name];
    const { default: byItself, type } = parameter;
    if (!parameterTypes.includes(text(type))) {
      return [
        source.value(
          [...path, "type"],
          `"${String(type)}" is not a type; allowed are ${parameterTypes.join(", ")}`,
        ),
      ];
    }
    if (type !== "enum") return [];
    const allowed = list(parameter["enum"]);
    if (allowed.length === 0) {
      return [
        source.key(path, `parameter "${name}" is an enum without values; list them in "enum"`),
      ];
    }
    return byItself === undefined || allowed.includes(byItself)
      ? []
      : [
          source.value(
            [...path, "default"],
            `${JSON.stringify(byItself)} is not one of ${allowed.join(", ")}`,
          ),
        ];
  });
}

function serialGroups(source: Source): readonly Finding[] {
  return workflowsOf(source).flatMap(({ jobs: places }) =>
    places.flatMap(({ path, serialGroup }, index) => {
      if (serialGroup === undefined) return [];
      const at = [...path, "serial-group"];
      const fixed = serialGroup.replace(/<<.*?>>/gs, "");
      const outside = filledIn(serialGroup).filter((value) => !legalInGroup.includes(value));
      const illegal = /[^A-Za-z0-9._/-]/.exec(fixed)?.[0];
      return [
        ...(illegal !== undefined || serialGroup.length > 512 || serialGroup.trim() === ""
          ? [
              source.value(
                at,
                `serial group "${serialGroup}" must be 1 to 512 letters, digits and . - _ /${illegal === undefined ? "" : `, not "${illegal}"`}`,
              ),
            ]
          : []),
        ...outside.map((value) =>
          source.value(
            at,
            `serial group contains ${value}, which may have characters that are illegal there; use the pull request's number`,
          ),
        ),
        ...(places.findIndex((other) => other.serialGroup === serialGroup) < index
          ? [
              source.value(
                at,
                `serial group "${serialGroup}" is twice in one workflow, which CircleCI does not support`,
              ),
            ]
          : []),
      ];
    }),
  );
}
