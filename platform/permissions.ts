import { type CiRoleName, notifierFolder } from "../components/conventions/ci-roles";
import { service } from "../config/service";
import type { Environment } from "./settings";

/** The resources for which a role gets permissions. */
export interface Targets {
  /** Clusters that the role uses. */
  readonly clusterArns: readonly string[];
  /** KMS key for the secrets in the Pulumi states, for each environment in the account. */
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

/**
 * Prefixes in the bucket of the Pulumi states. Each prefix contains a separate state backend.
 */
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
 * KMS actions for the roles that may create a stack. Pulumi creates a data key for each new stack,
 * and encrypts the data key with KMS.
 */
const encrypt = ["kms:Decrypt", "kms:Encrypt"];

function allow(
  Sid: string,
  Action: readonly string[],
  ...resources: (string | undefined)[]
): Statement {
  // If a resource is undefined, the resource is not in this account, and the role gets no
  // permission for this resource.
  const Resource = resources.filter((resource) => resource !== undefined);
  return { Action, Effect: "Allow", Resource, Sid };
}

/** Returns the ARN of the folder `.pulumi` of a state backend. */
const root = (bucket: string, prefix: keyof typeof statePrefixes): string =>
  `arn:aws:s3:::${bucket}/${statePrefixes[prefix]}/.pulumi`;

/**
 * Returns the ARNs of all S3 objects that Pulumi stores for one stack: state, lock, history,
 * backups. A pattern such as `review-*` matches several stacks.
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

/**
 * Returns the ARN pattern of the S3 objects in which the job notifier stores the lists of reported
 * runs.
 */
const notifierObjects = (bucket: string): string =>
  `arn:aws:s3:::${bucket}/${statePrefixes.environments}/${notifierFolder}/*`;

/**
 * Returns the permission to list the names of all S3 objects in a bucket. This permission does not
 * include the permission to read the objects. The permission is not limited to a prefix. If the
 * permission were limited to a prefix, S3 would answer "forbidden" for objects that do not exist,
 * and Pulumi often requests such objects.
 */
function list(bucket: string): Statement {
  return allow("ListState", ["s3:ListBucket"], `arn:aws:s3:::${bucket}`);
}

/**
 * Returns the permissions to read the current states of staging, production and canary, and the
 * job notifier's lists of reported runs. To list the stacks of a state backend, Pulumi reads all
 * states in the backend. To read the states, Pulumi needs no KMS key. Without the KMS key of a
 * stack, the secrets in the state of this stack stay encrypted.
 */
function readEnvironments({ stateBucket }: Targets): Statement[] {
  const root = `arn:aws:s3:::${stateBucket}/${statePrefixes.environments}/.pulumi`;
  return [
    list(stateBucket),
    allow("ReadState", read, `${root}/meta.yaml`, `${root}/stacks/${service}/*`),
    // A deploy and `npm run status` print when the job notifier last succeeded.
    allow("ReadNotifier", read, notifierObjects(stateBucket)),
  ];
}

/**
 * Returns the permission to read what a person must see before an approval: which releases
 * production has run, and who holds a lock. The permission does not include the old states in
 * Pulumi's history.
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
 * Returns a role's permissions in the registry. Empty if the account has none of the repositories.
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
 * Returns all permissions of a role. IAM refuses statements without resources, so this function
 * leaves out such statements.
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
        // The job that scans an image pulls the image from the registry.
        ...images("Pull", pull, repositoryArn, reviewRepositoryArn),
        ...readEnvironments(targets),
        readBeforeApproval(targets),
        // Pulumi needs the stack's key to open a stack, even if the stack has no secrets.
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
        // The jobs with staging's role push the images of staging and of the canary. One of these
        // jobs adds the tag `release-*` to a promoted image.
        ...images("Push", push, repositoryArn),
        ...environments("staging"),
        allow("SealState", encrypt, keyArns.staging),
      ];
    case "prod":
      return [
        cluster,
        // A deploy checks that the registry has the image. A deploy does not pull the image. The
        // nodes of the cluster pull the image, with their own role.
        ...images("FindImages", ["ecr:BatchGetImage"], repositoryArn),
        ...environments("prod", "prod-canary"),
        allow("SealState", encrypt, keyArns.prod),
      ];
    case "notifier":
      // The job notifier does not need to read Pulumi states. The notifier reads and writes the
      // lists of reported runs, and never deletes these lists.
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
        // The job that removes review stacks reads the cluster's UID in the stack tags. This job
        // never reads a state, so the job needs no KMS key.
        allow(
          "ReadTags",
          read,
          `${root(stateBucket, "review")}/stacks/${service}/${reviews}.pulumi-tags`,
        ),
        allow("RemoveState", ["s3:DeleteObject"], ...stackObjects(stateBucket, reviews, "review")),
      ];
  }
}
