import { command } from "../../../lib/command";
import type { StateResource } from "../stacks";

type Inputs = Readonly<Record<string, unknown>>;

/**
 * Functions that compute the id of an AWS resource of the platform project from the resource's
 * inputs. Resources of other types, such as a role's policy, need no id: the next update can create
 * them again without an error from AWS.
 */
const ids: Readonly<Record<string, (inputs: Inputs, account: string) => string>> = {
  "aws:ecr/repository:Repository": ({ name }) => String(name),
  "aws:eks/accessEntry:AccessEntry": ({ clusterName, principalArn }) =>
    `${String(clusterName)}:${String(principalArn)}`,
  "aws:eks/identityProviderConfig:IdentityProviderConfig": ({ clusterName, oidc }) =>
    `${String(clusterName)}:${String((oidc as Inputs)["identityProviderConfigName"])}`,
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ({ url }, account) =>
    `arn:aws:iam::${account}:oidc-provider/${String(url).replace(/^https:\/\//, "")}`,
  "aws:iam/role:Role": ({ name }) => String(name),
};

/**
 * Returns the AWS resources that a killed update had begun to create, as entries for the state. The
 * caller adds these entries to the state and runs a refresh. If a resource does not exist in AWS,
 * the refresh removes its entry from the state. The refresh reads the resources that exist in AWS.
 * If these resources were not in the state, the next update would try to create them again, and AWS
 * would answer with an error.
 *
 * Pulumi has the command `pulumi refresh --import-pending-creates` for this case. But in Pulumi
 * 3.215, this command removes the resources from the state, and does not read them from AWS.
 */
export async function begunInAws(
  begun: readonly StateResource[],
  env: Readonly<Record<string, string>>,
): Promise<readonly StateResource[]> {
  const found = begun.filter(({ type }) => type in ids);
  if (found.length === 0) return [];
  const identity = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"];
  const account = (await command("aws", identity, { env: regional(env), timeout: 30_000 })).trim();
  return found.map((resource) => {
    const { inputs = {}, type } = resource;
    return { ...resource, id: ids[type]?.(inputs, account) ?? "", outputs: inputs };
  });
}

/**
 * Returns the environment variables for the AWS CLI. If a region is set, AWS_DEFAULT_REGION
 * contains the region. Unlike the AWS SDKs, version 1 of the AWS CLI does not read AWS_REGION.
 */
function regional(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given: Readonly<Record<string, string | undefined>> = { ...process.env, ...env };
  const region = given["AWS_DEFAULT_REGION"] ?? given["AWS_REGION"];
  return { ...env, ...(region !== undefined && { AWS_DEFAULT_REGION: region }) };
}
