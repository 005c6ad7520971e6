/** Environments, and the names that stacks may have. Pure data: every room may import it. */

/** What a stack is for; decides its defaults. */
export type Environment = "local" | "review" | "staging" | "prod" | "canary";

/** The service this repository ships; also the Deployment's and the Service's name. */
export const service = "services-orders";

const fixedStacks: Readonly<Record<string, Environment>> = {
  local: "local",
  prod: "prod",
  "prod-canary": "canary",
  staging: "staging",
};

const reviewPrefix = "review-";

/** Names that are no branch's slug: a review stack for them would be mistaken for something else. */
export const reservedSlugs: readonly string[] = ["main", "master", ...Object.keys(fixedStacks)];

const slugForm = /^[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$/;

/**
 * Environment and slug of a stack name, or undefined for a name that no stack has:
 * a typing error must never become an environment.
 */
export function parseStack(
  stack: string,
): { readonly environment: Environment; readonly slug: string } | undefined {
  const environment = Object.hasOwn(fixedStacks, stack) ? fixedStacks[stack] : undefined;
  if (environment !== undefined)
    return { environment, slug: environment === "canary" ? "prod" : stack };
  if (!stack.startsWith(reviewPrefix)) return undefined;
  const slug = stack.slice(reviewPrefix.length);
  return slugForm.test(slug) && !reservedSlugs.includes(slug)
    ? { environment: "review", slug }
    : undefined;
}
