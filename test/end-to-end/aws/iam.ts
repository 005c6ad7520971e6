import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { type Kind, type Properties, text, unlessMissing } from "./kind";

const iam = new IAMClient();

/** Decodes a policy document. IAM returns URL-encoded policy documents. */
const decoded = (document: string | undefined) => decodeURIComponent(document ?? "");
const clients = (inputs: Properties) => inputs["clientIdLists"] as string[];

export const openIdConnectProvider: Kind = {
  create: async (inputs) => {
    const { OpenIDConnectProviderArn = "" } = await iam.send(
      new CreateOpenIDConnectProviderCommand({
        ClientIDList: clients(inputs),
        Url: text(inputs, "url"),
      }),
    );
    return OpenIDConnectProviderArn;
  },
  delete: async (id) => {
    await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: id }));
  },
  fixed: ["url"],
  read: async (id) => {
    const found = await unlessMissing(
      iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: id })),
    );
    const { ClientIDList, Url = "" } = found ?? {};
    return (
      found && {
        arn: id,
        clientIdLists: ClientIDList,
        url: `https://${Url.replace(/^https:\/\//, "")}`,
      }
    );
  },
  update: async (id, inputs) => {
    const OpenIDConnectProviderArn = id;
    const { ClientIDList = [] } = await iam.send(
      new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }),
    );
    const wanted = clients(inputs);
    for (const ClientID of wanted.filter((client) => !ClientIDList.includes(client))) {
      await iam.send(
        new AddClientIDToOpenIDConnectProviderCommand({ ClientID, OpenIDConnectProviderArn }),
      );
    }
    for (const ClientID of ClientIDList.filter((client) => !wanted.includes(client))) {
      await iam.send(
        new RemoveClientIDFromOpenIDConnectProviderCommand({ ClientID, OpenIDConnectProviderArn }),
      );
    }
  },
};

export const role: Kind = {
  create: async (inputs) => {
    const RoleName = text(inputs, "name");
    await iam.send(
      new CreateRoleCommand({
        AssumeRolePolicyDocument: text(inputs, "assumeRolePolicy"),
        Description: text(inputs, "description"),
        MaxSessionDuration: inputs["maxSessionDuration"] as number,
        RoleName,
      }),
    );
    return RoleName;
  },
  delete: async (id) => {
    await iam.send(new DeleteRoleCommand({ RoleName: id }));
  },
  fixed: ["name"],
  json: ["assumeRolePolicy"],
  read: async (id) => {
    const found = await unlessMissing(iam.send(new GetRoleCommand({ RoleName: id })));
    const made = found?.Role;
    return (
      made && {
        arn: made.Arn,
        assumeRolePolicy: decoded(made.AssumeRolePolicyDocument),
        description: made.Description,
        maxSessionDuration: made.MaxSessionDuration,
        name: made.RoleName,
      }
    );
  },
  update: async (id, inputs) => {
    await iam.send(
      new UpdateAssumeRolePolicyCommand({
        PolicyDocument: text(inputs, "assumeRolePolicy"),
        RoleName: id,
      }),
    );
    await iam.send(
      new UpdateRoleCommand({
        Description: text(inputs, "description"),
        MaxSessionDuration: inputs["maxSessionDuration"] as number,
        RoleName: id,
      }),
    );
  },
};

async function putPolicy(inputs: Properties): Promise<string> {
  const RoleName = text(inputs, "role");
  const PolicyName = text(inputs, "name");
  await iam.send(
    new PutRolePolicyCommand({ PolicyDocument: text(inputs, "policy"), PolicyName, RoleName }),
  );
  return `${RoleName}:${PolicyName}`;
}

function named(id: string): { readonly PolicyName: string; readonly RoleName: string } {
  const [RoleName = "", PolicyName = ""] = id.split(":");
  return { PolicyName, RoleName };
}

export const rolePolicy: Kind = {
  create: putPolicy,
  delete: async (id) => {
    await iam.send(new DeleteRolePolicyCommand(named(id)));
  },
  fixed: ["name", "role"],
  json: ["policy"],
  read: async (id) => {
    const found = await unlessMissing(iam.send(new GetRolePolicyCommand(named(id))));
    return (
      found && {
        name: found.PolicyName,
        policy: decoded(found.PolicyDocument),
        role: found.RoleName,
      }
    );
  },
  update: async (_, inputs) => {
    await putPolicy(inputs);
  },
};
