import { reviewAccess, reviewUser } from "../../components/conventions/ci-roles";
import {
  budgets,
  legalSlug,
  looksShortened,
  suffixLength,
} from "../../components/conventions/names";
import { cel } from "./cel";

const { namespacePrefix } = reviewAccess;

/**
 * Prefix of the Kubernetes user name of a branch's CI jobs. The rest of the user name is the name
 * of the branch.
 */
const userPrefix = reviewUser("");
const longestHead = budgets.slug - suffixLength - 1;

/**
 * The rule that the name of a namespace contains the slug of its branch. The rule corresponds to
 * the function `slug()` in `components/conventions/names.ts`. The rule uses the variables `name`
 * and `owner`. A policy with this rule must first define these two variables, and then the
 * variables in the list `variables`.
 *
 * If the branch's name is not a valid slug, or looks like a shortened name, the slug ends with a
 * hash of the name. CEL has no hash function, so the rule checks only the characters before the
 * hash, and the form of the hash. So a branch can use the name of another branch's namespace if the
 * slugs of both branches differ only in their hashes.
 */
export const nameOfBranch = {
  expression: `(variables.isSlug ? variables.name == ${cel(namespacePrefix)} + variables.branch : variables.name.matches("^" + ${cel(namespacePrefix)} + variables.head + "-[a-z2-7]{${String(suffixLength)}}$"))`,
  message: `the namespace of a branch must be called ${namespacePrefix}<slug>: the branch's name, or its first characters and a hash if the name is not a slug`,
  variables: [
    {
      expression: `variables.owner.startsWith(${cel(userPrefix)}) ? variables.owner.substring(${String(userPrefix.length)}) : ""`,
      name: "branch",
    },
    {
      expression: `variables.branch.matches(${cel(legalSlug.source)}) && size(variables.branch) <= ${String(budgets.slug)} && !variables.branch.matches(${cel(looksShortened.source)})`,
      name: "isSlug",
    },
    {
      expression: `variables.branch.lowerAscii().findAll("[a-z0-9]+").join("-")`,
      name: "words",
    },
    {
      expression: `(variables.words.matches("^[a-z]") ? variables.words : "b-" + variables.words).find("^[a-z0-9-]{0,${String(longestHead - 1)}}[a-z0-9]")`,
      name: "head",
    },
  ],
} as const;
