import { type CiRoleName, notifierFolder } from "../components/conventions/ci-roles";
import { service } from "../config/service";
import type { Environment } from "./settings";

/** ARNs of the resources for which the roles have permissions. */
export interface Targets {
  /** Clusters that the role uses. */
  readonly clusterArns: readonly string[];
  /** KMS key that encrypts the Pulumi states, for each environment in the account. */
  readonly keyArns: Readonly<Partial<Record<Environment, string>>>;
  /** Repository of staging and production. Undefined in an account without staging. */
  readonly repositoryArn: string | undefined;
  /** Repository of review stacks. Undefined in an account without review stacks. */
  readonly reviewRepositoryArn: string | undefined;
  readonly stateBucket: string;
}

export interface Statement {
  readonly Action: readonly string[];
  readonly Effect: "Allow";
  readonly Resource: readonly string[];
  readonly Sid: string;
}

/** Prefixes in the bucket. Each prefix is a separate Pulumi backend. */
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
/**
 * Actions of the roles that may create a stack. Pulumi creates a data key for each stack, and only
 * these roles need to encrypt the data key.
 */
const encrypt = ["kms:Decrypt", "kms:Encrypt"];

function allow(
  Sid: string,
  Action: readonly string[],
  ...resources: (string | undefined)[]
): Statement {
  // Roles have no permissions for resources of another account.
  const Resource = resources.filter((resource) => resource !== undefined);
  return { Action, Effect: "Allow", Resource, Sid };
}

/** Returns the ARN of a backend's root folder. */
const root = (bucket: string, prefix: keyof typeof statePrefixes): string =>
  `arn:aws:s3:::${bucket}/${statePrefixes[prefix]}/.pulumi`;

/**
 * Returns the ARNs of all S3 objects that Pulumi stores for one stack: state, lock, history,
 * backups. A pattern such as `review-*` stands for several stacks.
 */
function stackObjects(
  bucket: string,
  stack: string,
  prefix: keyof typeof statePrefixes = "environments",
): string[] {
  const from = root(bucket, prefix);
  return [
    // The dot ends the stack's name: `prod.*` does not match `prod-canary.json`.
    `${from}/stacks/${service}/${stack}.*`,
    `${from}/locks/organization/${service}/${stack}/*`,
    `${from}/history/${service}/${stack}/*`,
    `${from}/backups/${service}/${stack}/*`,
  ];
}

/** Returns the ARN of the S3 objects with the lists of runs that the job notifier has reported. */
const notifierObjects = (bucket: string): string =>
  `arn:aws:s3:::${bucket}/${statePrefixes.environments}/${notifierFolder}/*`;

/**
 * Returns the permission to list the names of all S3 objects in a bucket, but not to read the
 * objects. If this permission had a limit to a prefix, S3 would answer "forbidden" for an object
 * that does not exist. Pulumi often asks for such objects.
 */
function list(bucket: string): Statement {
  return allow("ListState", ["s3:ListBucket"], `arn:aws:s3:::${bucket}`);
}

/**
 * Returns the permissions to read the last state of staging, production and canary. To list a
 * backend's stacks, Pulumi reads all these states, without a key. Only a stack's own key decrypts
 * the secrets in the stack's state.
 */
function readEnvironments({ stateBucket }: Targets): Statement[] {
  const root = `arn:aws:s3:::${stateBucket}/${statePrefixes.environments}/.pulumi`;
  return [
    list(stateBucket),
    allow("ReadState", read, `${root}/meta.yaml`, `${root}/stacks/${service}/*`),
    // A deploy and `npm run status` say when the job notifier last ran.
    allow("ReadNotifier", read, notifierObjects(stateBucket)),
  ];
}

/**
 * Returns the permission to read what a person must see before an approval: which releases
 * production has run, and who holds a lock. The permission does not include the old states in the
 * history.
 */
function readBeforeApproval({ stateBucket }: Targets): Statement {
  const root = `arn:aws:s3:::${stateBucket}/${statePrefixes.environments}/.pulumi`;
  return allow(
    "ReadHistoryAndLocks",
    read,
    `${root}/history/${service}/prod/*.history.json`,
    `${root}/locks/organization/${service}/*`,
  );
}

/**
 * Returns a role's permissions in the registry. Empty if the account does not have the
 * repositories.
 */
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

/**
 * Returns everything that a role may do. Leaves out statements without resources, because IAM
 * refuses such statements.
 */
export function permissions(ciRole: CiRoleName, targets: Targets): readonly Statement[] {
  return statementsOf(ciRole, targets).filter(({ Resource }) => Resource.length > 0);
}

function statementsOf(ciRole: CiRoleName, targets: Targets): readonly Statement[] {
  const { clusterArns, keyArns, repositoryArn, reviewRepositoryArn, stateBucket } = targets;
  const cluster = allow("FindCluster", ["eks:DescribeCluster"], ...clusterArns);
  const reviewState = `arn:aws:s3:::${stateBucket}/${statePrefixes.review}/*`;
  const reviews = "review-*";
  const environments = (...stacks: string[]) => [
    ...readEnvironments(targets),
    allow("WriteState", write, ...stacks.flatMap((stack) => stackObjects(stateBucket, stack))),
  ];
  switch (ciRole) {
    case "preview":
      return [
        cluster,
        // The scan pulls the image that an earlier job pushed.
        ...images("Pull", pull, repositoryArn, reviewRepositoryArn),
        ...readEnvironments(targets),
        readBeforeApproval(targets),
        // Pulumi cannot open a stack without the stack's key, not even a stack without secrets.
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
        // Staging's role also sets the tag of a promotion, in the repository with the image, and
        // pushes the image of a canary.
        ...images("Push", push, repositoryArn),
        ...environments("staging"),
        allow("SealState", encrypt, keyArns.staging),
      ];
    case "prod":
      return [
        cluster,
        // A deploy checks that the registry has the image. The nodes pull the image, not this role.
        ...images("FindImages", ["ecr:BatchGetImage"], repositoryArn),
        ...environments("prod", "prod-canary"),
        allow("SealState", encrypt, keyArns.prod),
      ];
    case "notifier":
      // The job notifier reads no state of Pulumi. It writes the lists of reported runs, and cannot
      // delete an object.
      return [
        cluster,
        list(stateBucket),
        allow("Remember", ["s3:GetObject", "s3:PutObject"], notifierObjects(stateBucket)),
      ];
    case "canary-removal":
      // Pulumi encrypts the canary's state with production's key.
      return [cluster, ...environments("prod-canary"), allow("OpenState", decrypt, keyArns.prod)];
    case "review-removal":
      return [
        cluster,
        list(stateBucket),
        // The job reads only the name of the cluster in the stack tags. It never reads a state, so
        // it needs no KMS key.
        allow(
          "ReadTags",
          read,
          `${root(stateBucket, "review")}/stacks/${service}/${reviews}.pulumi-tags`,
        ),
        allow("RemoveState", ["s3:DeleteObject"], ...stackObjects(stateBucket, reviews, "review")),
      ];
  }
}
