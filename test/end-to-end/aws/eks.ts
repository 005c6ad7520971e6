import { DescribeClusterCommand, EKSClient } from "@aws-sdk/client-eks";
import { type Kind, type Properties, text } from "./kind";

const eks = new EKSClient();

/** Does what `aws.eks.getCluster` does. Returns only the properties that the platform uses. */
export async function getCluster(args: Properties): Promise<Properties> {
  const { cluster } = await eks.send(new DescribeClusterCommand({ name: text(args, "name") }));
  return { arn: cluster?.arn, id: cluster?.name, name: cluster?.name };
}

/**
 * Returns the operations for a resource type that moto does not support. If a later version of moto
 * supports the type, a test fails, because moto no longer answers with status 404. A resource of
 * this type exists only in Pulumi's state. `read` returns what the program wrote, so a refresh
 * finds no difference.
 */
function unkept(id: (inputs: Properties) => string, fixed: readonly string[]): Kind {
  return {
    create: (inputs) => Promise.resolve(id(inputs)),
    delete: () => Promise.resolve(),
    fixed,
    read: (_, known) => Promise.resolve(known),
    update: () => Promise.resolve(),
  };
}

export const accessEntry = unkept(
  (inputs) => `${text(inputs, "clusterName")}:${text(inputs, "principalArn")}`,
  ["clusterName", "principalArn", "type"],
);

export const identityProviderConfig = unkept(
  (inputs) => `${text(inputs, "clusterName")}:circleci`,
  ["clusterName", "oidc"],
);
