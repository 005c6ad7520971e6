/**
 * TEST FIXTURE. The real engine starts this program instead of the plugin `pulumi-resource-aws`.
 * The program creates the platform's resources in moto, with the AWS SDK. The program supports only
 * the types that the platform uses. The AWS endpoint must be on this machine, so that the program
 * never changes a real AWS account.
 */
import { createRequire } from "node:module";
import type { Provider } from "@pulumi/pulumi/provider";
import { accessEntry, getCluster, identityProviderConfig } from "./eks";
import { lifecyclePolicy, repository, repositoryPolicy } from "./ecr";
import { openIdConnectProvider, role, rolePolicy } from "./iam";
import { type Kind, type Properties, same } from "./kind";

const require = createRequire(import.meta.url);
const { main } = require("@pulumi/pulumi/provider") as {
  main: (provider: Provider, args: string[]) => Promise<void>;
};
const { version } = require("@pulumi/aws/package.json") as { version: string };

const kinds: Readonly<Record<string, Kind>> = {
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": lifecyclePolicy,
  "aws:ecr/repository:Repository": repository,
  "aws:ecr/repositoryPolicy:RepositoryPolicy": repositoryPolicy,
  "aws:eks/accessEntry:AccessEntry": accessEntry,
  "aws:eks/identityProviderConfig:IdentityProviderConfig": identityProviderConfig,
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": openIdConnectProvider,
  "aws:iam/role:Role": role,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
};

function kindOf(urn: string): Kind {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const kind = kinds[type];
  if (kind === undefined) throw new Error(`the stand-in for the AWS plugin knows no ${type}`);
  return kind;
}

/** Names of the properties that AWS adds to the inputs. */
const computed = ["arn", "registryId", "repositoryUrl"];

/**
 * Returns the inputs that the program set. The keys that the engine adds begin with two
 * underscores.
 */
function given(inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(inputs).filter(
      ([key, value]) => !key.startsWith("__") && !computed.includes(key) && value !== undefined,
    ),
  );
}

/**
 * Returns the state of a resource after a change: the current properties of the resource in AWS,
 * but with the inputs in the form that the program wrote.
 */
async function stateOf(kind: Kind, id: string, inputs: Properties): Promise<Properties> {
  const read = await kind.read(id, inputs);
  if (read === undefined) throw new Error(`${id} is not there after it was written`);
  return { ...read, ...inputs };
}

const provider: Provider = {
  check: (urn, _, news: Properties) => {
    kindOf(urn);
    return Promise.resolve({ inputs: given(news) });
  },

  create: async (urn, news: Properties) => {
    const [kind, inputs] = [kindOf(urn), given(news)];
    const id = await kind.create(inputs);
    return { id, outs: await stateOf(kind, id, inputs) };
  },

  delete: (id, urn) => kindOf(urn).delete(id),

  diff: (_, urn, olds: Properties, news: Properties) => {
    const kind = kindOf(urn);
    // The comparison includes the keys that the program has removed.
    const keys = new Set([...Object.keys(given(olds)), ...Object.keys(given(news))]);
    const changed = [...keys].filter((key) => !same(kind, key, olds[key], news[key]));
    const replaces = changed.filter((key) => kind.fixed.includes(key));
    // The platform's program chooses the names of resources, and two resources cannot have the same
    // name. So Pulumi must delete the old resource before it creates the new one.
    const deleteBeforeReplace = replaces.length > 0;
    return Promise.resolve({ changes: changed.length > 0, deleteBeforeReplace, replaces });
  },

  invoke: async (token, args: Properties) => {
    if (token !== "aws:eks/getCluster:getCluster") {
      throw new Error(`the stand-in for the AWS plugin knows no look-up ${token}`);
    }
    return { outputs: await getCluster(args) };
  },

  read: async (id, urn, known: Properties = {}) => {
    const kind = kindOf(urn);
    const read = await kind.read(id, known);
    if (read === undefined) return {};
    // If AWS returns the same JSON in another form, this code keeps the text that the program
    // wrote.
    const props = Object.fromEntries(
      Object.entries({ ...known, ...read }).map(([key, value]) => [
        key,
        same(kind, key, known[key], value) ? known[key] : value,
      ]),
    );
    return { id, inputs: given(props), props };
  },

  update: async (id, urn, _, news: Properties) => {
    const [kind, inputs] = [kindOf(urn), given(news)];
    await kind.update(id, inputs);
    return { outs: await stateOf(kind, id, inputs) };
  },

  version,
};

const endpoint = process.env["AWS_ENDPOINT_URL"] ?? "";
if (!/^http:\/\/127\.0\.0\.1:\d+\/?$/.test(endpoint)) {
  console.error(
    `The stand-in for the AWS plugin must be given moto's address on 127.0.0.1 as AWS_ENDPOINT_URL, got "${endpoint}".`,
  );
  process.exit(1);
}
await main(provider, process.argv.slice(2));
