import { command } from "../../lib/command";
import type { StateResource } from "./stacks";

type Inputs = Readonly<Record<string, unknown>>;

/**
 * The ids that AWS gives to the resources of the platform, computed from their inputs. A resource
 * type that is missing here is set, not created, such as a role's policy: setting it twice is
 * harmless.
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
 * What a killed update had begun to create in AWS, as resources of the state. Without them, the
 * next update tries to create them again, and AWS answers that they exist. A refresh removes those
 * that do not exist, and reads the others.
 *
 * `pulumi refresh --import-pending-creates` is meant for this. But Pulumi 3.215 then drops them
 * from the state, and reads nothing.
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

/** Version 1 of the AWS CLI reads its own variable only, and not the one that the SDKs read. */
function regional(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given: Readonly<Record<string, string | undefined>> = { ...process.env, ...env };
  const region = given["AWS_DEFAULT_REGION"] ?? given["AWS_REGION"];
  return { ...env, ...(region !== undefined && { AWS_DEFAULT_REGION: region }) };
}
