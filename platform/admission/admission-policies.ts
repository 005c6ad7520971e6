import * as pulumi from "@pulumi/pulumi";
import { service } from "../../config/service";
import { AdmissionPolicy, type Policy } from "./policy";
import {
  canariesOnly,
  limitRanges,
  networkPolicies,
  noPriority,
  podsNeed,
  quotas,
} from "./guardrail-policies";
import {
  developerCommands,
  developerJobNames,
  developerJobs,
  developerScheduledJobs,
  developerTwins,
} from "./developer-policies";
import { bindings } from "./review-bindings";
import {
  ingresses,
  namespaces,
  ownNamespaceOnly,
  serviceAccounts,
  services,
} from "./review-policies";
import type { CircleCi, Environment, ReviewLimits } from "../settings";

export interface AdmissionPoliciesArgs {
  readonly circleci: CircleCi;
  readonly environments: readonly Environment[];
  readonly review: ReviewLimits;
}

/**
 * Returns the policies that the environments in this cluster need. The keys are the names of the
 * policies.
 */
export function policiesOf(settings: AdmissionPoliciesArgs): Readonly<Record<string, Policy>> {
  const { circleci, environments, review } = settings;
  return {
    ...(environments.includes("review")
      ? {
          "review-bindings": bindings(circleci),
          "review-ingresses": ingresses(review),
          "review-limit-ranges": limitRanges(circleci),
          "review-namespaces": namespaces(circleci),
          "review-network-policies": networkPolicies(circleci, review),
          "review-own-namespace-only": ownNamespaceOnly(circleci),
          "review-pods-need-limits": podsNeed("LimitRange"),
          "review-pods-need-network-policies": podsNeed("NetworkPolicy"),
          "review-pods-need-quota": podsNeed("ResourceQuota"),
          "review-pods-without-priority": noPriority,
          "review-quotas": quotas(circleci, review),
          "review-service-accounts": serviceAccounts,
          "review-services": services,
        }
      : {}),
    ...(environments.includes("review") || environments.includes("staging")
      ? {
          "developer-commands": developerCommands,
          "developer-job-names": developerJobNames,
          "developer-jobs": developerJobs,
          "developer-scheduled-jobs": developerScheduledJobs,
          "developer-twins": developerTwins,
        }
      : {}),
    ...(environments.includes("prod") ? { "canary-removal": canariesOnly } : {}),
  };
}

/**
 * Admission policies for rules that RBAC cannot express: rules about prefixes of names, fields of
 * objects, and the order in which objects are created.
 */
export class AdmissionPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: AdmissionPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:AdmissionPolicies", name, {}, opts);
    for (const [policy, rules] of Object.entries(policiesOf(args))) {
      const policyName = `${service}-${policy}`;
      new AdmissionPolicy(`${name}-${policy}`, { ...rules, policyName }, { parent: this });
    }
    this.registerOutputs({});
  }
}
