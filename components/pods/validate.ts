import {
  type Checked,
  type Placed,
  type ValidationIssue,
  check,
  dnsLabel,
  duplicates,
  each,
  elements,
  fields,
  unique,
} from "../conventions/validation";
import type { PodArgs } from "./args";
import { configKey } from "./files";

/**
 * Keys of labels and annotations that the caller must not set, because a component or Kubernetes
 * sets these keys.
 */
const ownLabels =
  /^(?:app|branch|commit_id|protected_branch|service|track|version|pod-template-hash|(?:app\.kubernetes\.io|tags\.datadoghq\.com)\/.*)$/;
const ownAnnotations =
  /^(?:eks\.amazonaws\.com\/role-arn|jobs\/scheduled|migration\/.*|on-failure\/.*|pulumi\.com\/(?:replaceUnready|skipAwait|waitFor))$/;

const keyForm =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const valueForm = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const pathForm = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const secretKeyForm = /^(?!\.\.)[A-Za-z0-9._-]{1,253}$/;
const roleForm = /^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role\/(?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/;
const configMapBytes = 1024 * 1024;

function keyIssues(arg: string, given: object = {}, own: RegExp): readonly ValidationIssue[] {
  const keys = Object.keys(given).map((got) => ({ arg, got }));
  return [
    ...each(keys, (key) => keyForm.test(key), {
      rule: "have legal Kubernetes keys",
      fix: 'write at most 63 letters, digits, dots, hyphens and underscores, with a prefix such as "example.com/" if needed',
    }),
    ...each(keys, (key) => !own.test(key), {
      rule: "have no key that the component sets itself",
      fix: "use the arg that sets it, or another key",
    }),
  ];
}

function labelIssues(
  arg: string,
  given: Readonly<Record<string, string>> = {},
): readonly ValidationIssue[] {
  const values = Object.entries(given).map(([key, got]) => ({ arg: `${arg}["${key}"]`, got }));
  return [
    ...keyIssues(arg, given, ownLabels),
    ...each(values, (value) => valueForm.test(value), {
      rule: "have at most 63 characters (letters, digits, dots, hyphens, underscores), and start and end with a letter or digit",
      fix: "use an annotation for other text",
    }),
  ];
}

function configIssues(files: NonNullable<PodArgs["configFiles"]>): readonly Checked[] {
  const paths = Object.keys(files);
  const shared = duplicates(paths.map(configKey));
  const bytes = Object.values(files)
    .filter((content) => typeof content === "string")
    .reduce((sum, content) => sum + Buffer.byteLength(content), 0);
  return [
    ...each(
      paths.map((got) => ({ arg: "configFiles", got })),
      (path) => !shared.includes(configKey(path)),
      {
        rule: "have paths that differ in more than `/` and `_`",
        fix: "rename one of the files",
      },
    ),
    check(bytes <= configMapBytes, {
      arg: "configFiles",
      got: bytes,
      rule: `be at most ${String(configMapBytes)} bytes together`,
      fix: "put large files into the image",
    }),
  ];
}

/**
 * Checks the names of containers and volumes, and the paths of mounts. In one pod, two containers
 * or two volumes must not have the same name, and two mounts must not have the same path.
 */
function placeIssues(args: PodArgs, own: PodPlaces): readonly Checked[] {
  const { configFiles = {}, initContainers, secretFiles, sidecars, volumeMounts, volumes } = args;
  const containers = [
    ...fields("sidecars", "name", sidecars),
    ...fields("initContainers", "name", initContainers),
  ];
  const volumeNames = fields("volumes", "name", volumes);
  const known = [...own.volumes, ...volumeNames.map(({ got }) => got)];
  const paths = [
    ...Object.keys(configFiles).map((got) => ({ arg: "a path of configFiles", got })),
    ...fields("secretFiles", "mountPath", secretFiles),
    ...fields("volumeMounts", "mountPath", volumeMounts),
  ];
  return [
    ...[...containers, ...volumeNames].map(({ arg, got }) => dnsLabel(arg, got)),
    ...unique(own.containers, containers),
    ...unique(own.volumes, volumeNames),
    ...each(paths, (path) => pathForm.test(path), {
      rule: 'be an absolute path without spaces, special characters or ".."',
      fix: 'write it as "/etc/orders/limits.json"',
    }),
    ...unique(own.paths, paths),
    ...each(fields("volumeMounts", "name", volumeMounts), (name) => known.includes(name), {
      rule: "be the name of a volume",
      fix: "add the volume to `volumes`",
    }),
  ];
}

/** Returns an issue for each text that cannot be a key of a Secret. */
export function secretKeyIssues(keys: readonly Placed[]): readonly ValidationIssue[] {
  return each(keys, (key) => secretKeyForm.test(key), {
    rule: "be a legal key of a Secret",
    fix: "use letters, digits, dots, hyphens and underscores",
  });
}

/**
 * Names of containers and volumes, and paths of mounts, that the component itself uses in a pod.
 */
export interface PodPlaces {
  readonly containers: readonly string[];
  readonly paths: readonly string[];
  readonly volumes: readonly string[];
}

/**
 * Checks the labels, annotations, names, paths, keys and the IAM role in the args, and returns the
 * issues.
 */
export function podIssues(args: PodArgs, own: PodPlaces): readonly Checked[] {
  const { annotations, configFiles = {}, iamRoleArn, podAnnotations, secretFiles } = args;
  return [
    ...keyIssues("annotations", annotations, ownAnnotations),
    ...configIssues(configFiles),
    check(iamRoleArn === undefined || roleForm.test(iamRoleArn), {
      arg: "iamRoleArn",
      got: iamRoleArn,
      rule: "be the ARN of an IAM role",
      fix: 'write it as "arn:aws:iam::111122223333:role/orders-prod"',
    }),
    ...labelIssues("labels", args.labels),
    ...keyIssues("podAnnotations", podAnnotations, ownAnnotations),
    ...labelIssues("podLabels", args.podLabels),
    ...secretKeyIssues(
      elements("secretFiles", secretFiles).flatMap(({ arg, got: { keys } }) =>
        elements(`${arg}.keys`, keys),
      ),
    ),
    ...placeIssues(args, own),
  ];
}
