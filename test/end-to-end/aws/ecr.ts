import {
  CreateRepositoryCommand,
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  type ImageTagMutability,
  type ImageTagMutabilityExclusionFilter,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { type Kind, type Properties, text, unlessMissing } from "./kind";

const ecr = new ECRClient();

function mutability(inputs: Properties) {
  const filters = inputs["imageTagMutabilityExclusionFilters"];
  return {
    imageTagMutability: text(inputs, "imageTagMutability") as ImageTagMutability,
    ...(filters === undefined
      ? {}
      : {
          imageTagMutabilityExclusionFilters: filters as ImageTagMutabilityExclusionFilter[],
        }),
  };
}

function scanning(inputs: Properties) {
  return {
    imageScanningConfiguration: inputs["imageScanningConfiguration"] as { scanOnPush: boolean },
  };
}

/**
 * Returns the address of a repository in the sandbox's registry. The stand-in for the AWS plugin
 * returns this address, because no server answers at the addresses that moto returns.
 */
function registryUrl(repository: string): string {
  const registry = process.env["SANDBOX_REGISTRY"];
  if (registry === undefined) throw new Error("SANDBOX_REGISTRY must name the sandbox's registry");
  return `${registry}/${repository}`;
}

export const repository: Kind = {
  create: async (inputs) => {
    const repositoryName = text(inputs, "name");
    await ecr.send(
      new CreateRepositoryCommand({ repositoryName, ...mutability(inputs), ...scanning(inputs) }),
    );
    return repositoryName;
  },
  delete: async (id) => {
    // Fails if the repository contains images, like the AWS plugin without `forceDelete`.
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: id }));
  },
  fixed: ["name"],
  read: async (id) => {
    const answer = await unlessMissing(
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [id] })),
    );
    const found = answer?.repositories?.[0];
    return (
      found && {
        arn: found.repositoryArn,
        imageScanningConfiguration: found.imageScanningConfiguration,
        imageTagMutability: found.imageTagMutability,
        ...(found.imageTagMutabilityExclusionFilters === undefined
          ? {}
          : { imageTagMutabilityExclusionFilters: found.imageTagMutabilityExclusionFilters }),
        name: found.repositoryName,
        registryId: found.registryId,
        repositoryUrl: registryUrl(id),
      }
    );
  },
  update: async (id, inputs) => {
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName: id, ...mutability(inputs) }));
    await ecr.send(
      new PutImageScanningConfigurationCommand({ repositoryName: id, ...scanning(inputs) }),
    );
  },
};

async function putLifecycle(inputs: Properties): Promise<string> {
  const repositoryName = text(inputs, "repository");
  const lifecyclePolicyText = text(inputs, "policy");
  await ecr.send(new PutLifecyclePolicyCommand({ lifecyclePolicyText, repositoryName }));
  return repositoryName;
}

export const lifecyclePolicy: Kind = {
  create: putLifecycle,
  delete: async (id) => {
    await unlessMissing(ecr.send(new DeleteLifecyclePolicyCommand({ repositoryName: id })));
  },
  fixed: ["repository"],
  json: ["policy"],
  read: async (id) => {
    const found = await unlessMissing(
      ecr.send(new GetLifecyclePolicyCommand({ repositoryName: id })),
    );
    return found && { policy: found.lifecyclePolicyText, repository: id };
  },
  update: async (_, inputs) => {
    await putLifecycle(inputs);
  },
};

async function setPolicy(inputs: Properties): Promise<string> {
  const repositoryName = text(inputs, "repository");
  const policyText = text(inputs, "policy");
  await ecr.send(new SetRepositoryPolicyCommand({ policyText, repositoryName }));
  return repositoryName;
}

export const repositoryPolicy: Kind = {
  create: setPolicy,
  delete: async (id) => {
    await unlessMissing(ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: id })));
  },
  fixed: ["repository"],
  json: ["policy"],
  read: async (id) => {
    const found = await unlessMissing(
      ecr.send(new GetRepositoryPolicyCommand({ repositoryName: id })),
    );
    return found && { policy: found.policyText, repository: id };
  },
  update: async (_, inputs) => {
    await setPolicy(inputs);
  },
};
