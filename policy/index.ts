/** The policy pack: `pulumi preview --policy-pack policy`. docs/policy.md says what it holds. */
import { PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { exceptions } from "./exceptions";
import { policyOf } from "./policies";
import { knownRegistries } from "./registries";
import { rules } from "./rules";

const known = knownRegistries({
  config: pulumi.runtime.allConfig(),
  env: process.env,
  stack: pulumi.getStack(),
});

new PolicyPack("services-orders", {
  enforcementLevel: "mandatory",
  policies: rules(known).map((rule) => policyOf(rule, exceptions)),
});
