import type { CiRoleName } from "../components/conventions/ci-roles";
import { service } from "../components/conventions/stacks";
import type { Environment } from "./settings";

/** ARNs of what the roles are given rights to. */
export interface Targets {
  /** Clusters that the role has to do with. */
  readonly clusterArns: readonly string[];
  /** KMS key of the state of each environment in the account. */
  readonly keyArns: Readonly<Partial<Record<Environment, string>>>;
  /** Repository of staging and production; undefined in an account without staging. */
  readonly repositoryArn: string | undefined;
  /** Repository of review stacks; undefined in an account without them. */
  readonly reviewRepositoryArn: string | undefined;
  readonly stateBucket: string;
}

export interface Statement {
  readonly Action: readonly string[];
  readonly Effect: "Allow";
  readonly Resource: readonly string[];
  readonly Sid: string;
}

/** Where in the bucket states lie: each prefix is a Pulumi backend of its own. */
const statePrefixes = { environments: "environments", review: "review" } as const;

const read = ["s3:GetObject"];
const write = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
const pull = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:DescribeImages",
  "ecr:GetDownloadUrlForLayer",
];
const push = [
  ...pull,
  "ecr:CompleteLayerUpload",
  "ecr:InitiateLayerUpload",
  "ecr:PutImage",
  "ecr:UploadLayerPart",
];
const decrypt = ["kms:Decrypt"];
/** Pulumi makes up a data key per stack: only the roles that may create a stack need to encrypt it. */
const encrypt = ["kms:Decrypt", "kms:Encrypt"];

function allow(
  Sid: string,
  Action: readonly string[],
  ...resources: (string | undefined)[]
): Statement {
  // What another account has, this one's roles have no rights to.
  const Resource = resources.filter((resource) => resource !== undefined);
  return { Action, Effect: "Allow", Resource, Sid };
}

/** Everything that Pulumi keeps of one stack in a bucket: state, lock, history, backups. */
function stackObjects(bucket: string, stack: string): string[] {
  const root = `arn:aws:s3:::${bucket}/${statePrefixes.environments}/.pulumi`;
  return [
    // The dot ends the name: `prod.*` is not `prod-canary.json`.
    `${root}/stacks/${service}/${stack}.*`,
    `${root}/locks/organization/${service}/${stack}/*`,
    `${root}/history/${service}/${stack}/*`,
    `${root}/backups/${service}/${stack}/*`,
  ];
}

/**
 * Names in the whole bucket, not what they hold. Limited to a prefix, S3 would answer "forbidden"
 * for an object that is not there, and Pulumi asks for such objects all the time.
 */
function list(bucket: string): Statement {
  return allow("ListState", ["s3:ListBucket"], `arn:aws:s3:::${bucket}`);
}

/**
 * The last state of staging, production and canary, closed: to list the stacks of a backend Pulumi
 * reads all of them, and needs no key. What is secret in them opens with the key of the stack only.
 */
function readEnvironments({ stateBucket }: Targets): Statement[] {
  const root = `arn:aws:s3:::${stateBucket}/${statePrefixes.environments}/.pulumi`;
  return [
    list(stateBucket),
    allow("ReadState", read, `${root}/meta.yaml`, `${root}/stacks/${service}/*`),
  ];
}

/** Rights in the registry; none where the account has none of the repositories. */
function images(
  Sid: string,
  Action: readonly string[],
  ...repositories: (string | undefined)[]
): Statement[] {
  if (repositories.every((repository) => repository === undefined)) return [];
  return [
    allow("RegistryLogin", ["ecr:GetAuthorizationToken"], "*"),
    allow(Sid, Action, ...repositories),
  ];
}

/** What the role of a purpose may do, and nothing else. IAM refuses a statement about nothing. */
export function permissions(purpose: CiRoleName, targets: Targets): readonly Statement[] {
  return statementsOf(purpose, targets).filter(({ Resource }) => Resource.length > 0);
}

function statementsOf(purpose: CiRoleName, targets: Targets): readonly Statement[] {
  const { clusterArns, keyArns, repositoryArn, reviewRepositoryArn, stateBucket } = targets;
  const cluster = allow("FindCluster", ["eks:DescribeCluster"], ...clusterArns);
  const reviewState = `arn:aws:s3:::${stateBucket}/${statePrefixes.review}/*`;
  const environments = (...stacks: string[]) => [
    ...readEnvironments(targets),
    allow("WriteState", write, ...stacks.flatMap((stack) => stackObjects(stateBucket, stack))),
  ];
  switch (purpose) {
    case "preview":
      return [
        cluster,
        // What is scanned is what was pushed.
        ...images("Pull", pull, repositoryArn, reviewRepositoryArn),
        ...readEnvironments(targets),
        // Without its key Pulumi opens no stack, not even one without a secret.
        allow("OpenState", decrypt, keyArns.staging, keyArns.prod),
      ];
    case "review":
      return [
        cluster,
        ...images("Push", push, reviewRepositoryArn),
        list(stateBucket),
        allow("WriteState", write, reviewState),
        allow("SealState", encrypt, keyArns.review),
      ];
    case "staging":
      return [
        cluster,
        // A promotion's tag as well: it is put where the image was pushed, by who has tried it.
        ...images("Push", push, repositoryArn),
        ...environments("staging"),
        allow("SealState", encrypt, keyArns.staging),
      ];
    case "prod":
      // Nodes pull, and this role does not ask the registry for anything.
      return [
        cluster,
        // A canary runs what its branch's review stack says that it runs.
        ...(keyArns.review === undefined
          ? []
          : [
              allow("ReadReviewState", read, reviewState),
              allow("OpenReviewState", decrypt, keyArns.review),
            ]),
        ...environments("prod", "prod-canary"),
        allow("SealState", encrypt, keyArns.prod),
      ];
    case "canary-removal":
      // The canary's state is closed with production's key.
      return [cluster, ...environments("prod-canary"), allow("OpenState", decrypt, keyArns.prod)];
    case "review-removal":
      return [
        cluster,
        list(stateBucket),
        allow("WriteState", write, reviewState),
        allow("OpenState", decrypt, keyArns.review),
      ];
  }
}
