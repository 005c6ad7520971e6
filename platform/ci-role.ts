import * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { type CiRoleName, roleName } from "../components/conventions/ci-roles";
import type { Statement } from "./permissions";
import type { CircleCi } from "./settings";
import { trustedText, trustPolicy } from "./trust";

export interface CiRoleArgs {
  readonly circleci: CircleCi;
  /** ARN of the account's identity provider for CircleCI. */
  readonly providerArn: pulumi.Input<string>;
  readonly ciRole: CiRoleName;
  readonly statements: pulumi.Input<readonly Statement[]>;
}

/**
 * Maximum duration of a session of an IAM role, in seconds. This time is longer than the time that
 * a step may run without output (40 minutes), so that Pulumi does not lose its permissions while
 * Pulumi waits for an object.
 */
const maxSessionSeconds = 3600;

/** An IAM role of CI jobs, with its trust policy and its permissions. */
export class CiRole extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: CiRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:aws:CiRole", name, args, opts);
    const { circleci, providerArn, ciRole, statements } = args;
    const role = new iam.Role(
      name,
      {
        assumeRolePolicy: pulumi
          .output(providerArn)
          .apply((arn) => JSON.stringify(trustPolicy(circleci, arn, ciRole))),
        description: `CircleCI, ${ciRole}: jobs of ${trustedText(ciRole, circleci)}`,
        maxSessionDuration: maxSessionSeconds,
        name: roleName(ciRole),
      },
      { parent: this },
    );
    new iam.RolePolicy(
      name,
      {
        name: ciRole,
        policy: pulumi
          .output(statements)
          .apply((all) => JSON.stringify({ Statement: all, Version: "2012-10-17" })),
        role: role.name,
      },
      { parent: this },
    );
    this.arn = role.arn;
    this.registerOutputs({ arn: this.arn });
  }
}
