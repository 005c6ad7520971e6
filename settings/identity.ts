import { reviewAccess } from "../components/conventions/ci-roles";
import type { Identity } from "../components/conventions/labels";
import { service } from "../config/service";
import { type Environment, environments } from "../environments";

/** Returns the names and labels that identify the objects of a stack. */
export function identityOf(environment: Environment, slug: string): Identity {
  const { canaryOf = environment, protectedBranch } = environments[environment];
  const app = canaryOf === "prod" ? service : `${service}-${slug}`;
  return { app, environment: canaryOf, instance: app, protectedBranch, service };
}

/** Returns the default name of a stack's namespace. */
export function namespaceOf(environment: Environment, slug: string): string {
  return environments[environment].perBranch
    ? `${reviewAccess.namespacePrefix}${slug}`
    : identityOf(environment, slug).app;
}
