import { createHash } from "node:crypto";

/**
 * Maximum lengths of names, in characters. Kubernetes, AWS or Pulumi refuses longer names. Only the
 * limit of `slug` is our own.
 */
export const budgets = {
  /**
   * The name of each Job of a CronJob is the name of the CronJob plus 11 characters. A Job's name
   * has at most 63 characters.
   */
  cronJob: 52,
  dnsLabel: 63,
  ecrTag: 128,
  iamRole: 64,
  labelValue: 63,
  slug: 30,
  stack: 100,
  /**
   * Kubernetes sets the label `controller-revision-hash` of the pods to the name of the StatefulSet
   * plus 11 characters. The value of a label has at most 63 characters.
   */
  statefulSet: 52,
} as const;

const base32 = "abcdefghijklmnopqrstuvwxyz234567";
export const suffixLength = 8;
/**
 * Matches a name whose end looks like the hash of a shortened name. `slug` and `labelValue` shorten
 * every name that matches, so that a full name never equals a shortened name.
 */
export const looksShortened = /(?:^|-)[a-z2-7]{8}$/;
export const legalSlug = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const legalLabelValue = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const legalDnsLabel = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;

/** Returns the first 40 bits of a text's SHA-256, as 8 base32 characters. */
export function shortHash(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  let bits = 0n;
  for (const byte of bytes.subarray(0, 5)) bits = (bits << 8n) | BigInt(byte);
  let out = "";
  for (let i = suffixLength - 1; i >= 0; i--)
    out += base32.charAt(Number((bits >> BigInt(i * 5)) & 31n));
  return out;
}

function shorten(text: string, legal: string, budget: number): string {
  const head = legal.slice(0, budget - suffixLength - 1).replace(/[^A-Za-z0-9]+$/, "");
  return `${head}-${shortHash(text)}`;
}

/**
 * Returns the slug of a branch: a DNS-safe name that starts with a letter, contains only
 * `[a-z0-9-]`, and has at most 30 characters.
 *
 * In two cases, the slug ends with 8 characters of a hash of the branch's full name: the full name
 * is not a legal slug, or the full name looks like a shortened name (`fix-checkout` seems to end
 * with a hash). So different branches get different stacks, except if their hashes (40 bits) are
 * equal.
 *
 * The admission policies compute the part before the hash in CEL:
 * `platform/admission/review-names.ts`.
 */
export function slug(branch: string): string {
  if (legalSlug.test(branch) && branch.length <= budgets.slug && !looksShortened.test(branch)) {
    return branch;
  }
  // Changes only ASCII letters to lower case, as CEL's `lowerAscii` does. Letters outside ASCII
  // become hyphens, even if their lower case is an ASCII letter.
  const legal = branch
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return shorten(branch, /^[a-z]/.test(legal) ? legal : `b-${legal}`, budgets.slug);
}

/**
 * Returns a Kubernetes label value for any text. Different texts get different values, except if
 * their hashes (40 bits) are equal.
 */
export function labelValue(text: string): string {
  const fits = text.length <= budgets.labelValue;
  if (fits && legalLabelValue.test(text) && !looksShortened.test(text)) return text;
  const legal = text.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return shorten(text, legal === "" ? "x" : legal, budgets.labelValue);
}

/**
 * Whether a text is a DNS label that starts with a letter. Such a label is a valid name of a
 * Service or a Namespace.
 */
export function isDnsLabel(text: string, budget: number = budgets.dnsLabel): boolean {
  return text.length <= budget && legalDnsLabel.test(text);
}

/**
 * Returns the short form of a commit: 7 characters, and `-dirty.<hash>` if the code is not
 * committed.
 */
export function shortCommit(commit: string): string {
  const [hash = "", ...rest] = commit.split("-");
  return [/^[0-9a-f]{40}$/.test(hash) ? hash.slice(0, 7) : hash, ...rest].join("-");
}

/** Returns the first 12 characters of an image's digest. Undefined if the image has no digest. */
export function shortDigest(imageRef: string): string | undefined {
  return /@sha256:([0-9a-f]{12})/.exec(imageRef)?.[1];
}
