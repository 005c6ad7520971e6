/**
 * The policy pack. `pulumi preview --policy-pack policy` checks a stack with this pack.
 * docs/policy.md lists the rules.
 */
import { join } from "node:path";
import { PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { withCheapErrors } from "../components/conventions/expected-error";
import { service } from "../config/service";
import { exceptions } from "./exceptions";
import { readConfig } from "../settings/running";
import { policyOf } from "./policies";
import { knownRegistries } from "./registries";
import { rules } from "./rules";

/**
 * Creates the policy pack. Pulumi calls this function, with the directory `policy` as the working
 * directory.
 */
async function pack(): Promise<void> {
  const config = await readConfig(join(__dirname, ".."));
  const known = knownRegistries({ config, env: process.env, stack: pulumi.getStack() });
  new PolicyPack(service, {
    enforcementLevel: "mandatory",
    policies: rules(known).map((rule) => policyOf(rule, exceptions)),
  });
}

export = withCheapErrors(pack);
