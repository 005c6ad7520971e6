import { type Checked, type ValidationIssue, check, duplicates } from "../conventions/validation";
import type { PodArgs } from "./args";
import { configKey } from "./files";
import { isDnsLabel } from "../conventions/names";

/** Keys that the components set themselves. */
const ownLabels =
  /^(?:app|branch|commit_id|protected_branch|service|track|version|pod-template-hash|(?:app\.kubernetes\.io|tags\.datadoghq\.com)\/.*)$/;
const ownAnnotations = /^(?:eks\.amazonaws\.com\/role-arn|pulumi\.com\/skipAwait|on-failure\/.*)$/;

const keyForm =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const valueForm = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const pathForm = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const secretKeyForm = /^(?!\.\.)[A-Za-z0-9._-]{1,253}$/;
const roleForm = /^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role\/(?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/;
const configMapBytes = 1024 * 1024;

function keyIssues(arg: string, keys: readonly string[], own: RegExp): readonly ValidationIssue[] {
  return [
    ...keys
      .filter((key) => !keyForm.test(key))
      .map((got) => ({
        arg,
        got,
        rule: "have legal Kubernetes keys",
        fix: 'write a name of at most 63 characters, with a prefix such as "example.com/" if needed',
      })),
    ...keys
      .filter((key) => own.test(key))
      .map((got) => ({
        arg,
        got,
        rule: "have no key that the component sets itself",
        fix: "use the arg that sets it, or another key",
      })),
  ];
}

function labelIssues(
  arg: string,
  given: Readonly<Record<string, string>> = {},
): readonly ValidationIssue[] {
  return [
    ...keyIssues(arg, Object.keys(given), ownLabels),
    ...Object.values(given)
      .filter((value) => !valueForm.test(value))
      .map((got) => ({
        arg,
        got,
        rule: "have values of letters, digits, dots, hyphens and underscores, at most 63",
        fix: "use an annotation for other text",
      })),
  ];
}

function configIssues(files: NonNullable<PodArgs["configFiles"]>): readonly Checked[] {
  const paths = Object.keys(files);
  const shared = duplicates(paths.map(configKey));
  const bytes = Object.values(files)
    .filter((content) => typeof content === "string")
    .reduce((sum, content) => sum + Buffer.byteLength(content), 0);
  return [
    ...paths
      .filter((path) => shared.includes(configKey(path)))
      .map((got) => ({
        arg: "configFiles",
        got,
        rule: "have paths that differ in more than `/` and `_`",
        fix: "rename one of the files",
      })),
    check(bytes <= configMapBytes, {
      arg: "configFiles",
      got: bytes,
      rule: `be at most ${String(configMapBytes)} bytes together`,
      fix: "put large files into the image",
    }),
  ];
}

/** Names of containers and volumes, and paths. Each may occur only once. */
function placeIssues(args: PodArgs, own: PodPlaces): readonly ValidationIssue[] {
  const { configFiles = {}, initContainers = [], secretFiles = [], sidecars = [] } = args;
  const { volumeMounts = [], volumes = [] } = args;
  const containers = [...sidecars, ...initContainers].map(({ name }) => name);
  const volumeNames = volumes.map(({ name }) => name);
  const paths = [
    ...Object.keys(configFiles),
    ...secretFiles.map(({ mountPath }) => mountPath),
    ...volumeMounts.map(({ mountPath }) => mountPath),
  ];
  const once = (
    arg: string,
    taken: readonly string[],
    names: readonly string[],
  ): ValidationIssue[] =>
    duplicates([...taken, ...names]).map((got) => ({
      arg,
      got,
      rule: "be there once",
      fix: "choose another one",
    }));
  const named = (arg: string, names: readonly string[]): ValidationIssue[] =>
    names
      .filter((name) => !isDnsLabel(name))
      .map((got) => ({
        arg: `${arg}.name`,
        got,
        rule: "be a DNS label of at most 63 characters",
        fix: "use lower case letters, digits and hyphens, and start with a letter",
      }));
  return [
    ...named("initContainers and sidecars", containers),
    ...once("initContainers and sidecars.name", own.containers, containers),
    ...named("volumes", volumeNames),
    ...once("volumes.name", own.volumes, volumeNames),
    ...paths
      .filter((path) => !pathForm.test(path))
      .map((got) => ({
        arg: "configFiles, secretFiles and volumeMounts",
        got,
        rule: "have absolute paths",
        fix: 'write it as "/etc/orders/limits.json"',
      })),
    ...once("configFiles, secretFiles and volumeMounts", own.paths, paths),
    ...volumeMounts
      .filter(({ name }) => ![...own.volumes, ...volumeNames].includes(name))
      .map(({ name }) => ({
        arg: "volumeMounts.name",
        got: name,
        rule: "be the name of a volume",
        fix: "add it to `volumes`",
      })),
  ];
}

/** Names and paths that the component itself uses in a pod. */
export interface PodPlaces {
  readonly containers: readonly string[];
  readonly paths: readonly string[];
  readonly volumes: readonly string[];
}

/** Rules of the args that all components with pods have. */
export function podIssues(args: PodArgs, own: PodPlaces): readonly Checked[] {
  const { annotations = {}, configFiles = {}, iamRoleArn, podAnnotations = {} } = args;
  const { secretFiles = [] } = args;
  return [
    ...keyIssues("annotations", Object.keys(annotations), ownAnnotations),
    ...configIssues(configFiles),
    check(iamRoleArn === undefined || roleForm.test(iamRoleArn), {
      arg: "iamRoleArn",
      got: iamRoleArn,
      rule: "be the ARN of an IAM role",
      fix: 'write it as "arn:aws:iam::111122223333:role/orders-prod"',
    }),
    ...labelIssues("labels", args.labels),
    ...keyIssues("podAnnotations", Object.keys(podAnnotations), ownAnnotations),
    ...labelIssues("podLabels", args.podLabels),
    ...secretFiles
      .flatMap(({ keys = [] }) => keys)
      .filter((key) => !secretKeyForm.test(key))
      .map((got) => ({
        arg: "secretFiles.keys",
        got,
        rule: "be keys of a Secret",
        fix: "use letters, digits, dots, hyphens and underscores",
      })),
    ...placeIssues(args, own),
  ];
}

/** Whether a text may be a key of a Secret. */
export function isSecretKey(key: string): boolean {
  return secretKeyForm.test(key);
}
