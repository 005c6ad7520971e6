import { people } from "../components/conventions/ci-roles";
import * as forms from "../settings/forms";
import { optional, text } from "../settings/forms";
import type { CiEnvironment } from "../environments";

/** ARNs of the IAM roles of people. A role may be in both lists. */
export interface PeopleRoles {
  /**
   * IAM roles of developers, who read objects, run commands and debug in staging and in review
   * stacks.
   */
  readonly developers?: readonly string[];
  /** IAM roles of people who read objects and logs of production. */
  readonly productionReaders?: readonly string[];
}

const roleArns = forms.listOf(
  "a list of ARNs of IAM roles",
  text(
    "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/Developer",
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
  ),
);

export const peopleForm = forms.objectOf(
  "an object of lists with ARNs of IAM roles: developers, productionReaders",
  { developers: optional(roleArns), productionReaders: optional(roleArns) },
);

/** Returns the Kubernetes groups of people in a cluster, by the ARN of their IAM role. */
export function groupsOfPeople(
  { developers = [], productionReaders = [] }: PeopleRoles,
  environments: readonly CiEnvironment[],
): Readonly<Record<string, readonly string[]>> {
  const has = (...names: CiEnvironment[]) => names.some((name) => environments.includes(name));
  const groups: Record<string, readonly string[]> = {};
  const add = (arns: readonly string[], group: string): void => {
    for (const arn of new Set(arns)) groups[arn] = [...(groups[arn] ?? []), group];
  };
  if (has("review", "staging")) add(developers, people.developers.group);
  if (has("prod")) add(productionReaders, people.productionReaders.group);
  return groups;
}
