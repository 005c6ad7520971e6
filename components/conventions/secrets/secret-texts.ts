/**
 * Which texts are secrets, by the name of a variable and by the form of the text. Previews, plans,
 * messages and the policy pack use it. A scanner such as secretlint is too large for jobs with
 * rights, and does not know the names of variables.
 */

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(" "));

/** The last words of a name that make its value a secret. */
const secretWords = setOf(
  "auth credential credentials creds dsn pass passphrase passwd password passwords pwd secret " +
    "secrets token tokens",
);
const secretPairs = new Set(["connection string", "webhook url"]);
/** Kinds of keys that everyone may know. Any other key is a secret. */
const openKeys = setOf("cache foreign object partition primary public range routing sort");
/** Words that may follow: which secret it is, or how it is written. */
const suffixes = setOf("base64 b64 current hex new old previous primary secondary value");

/** Words of a name in any case: `apiKey`, `API_KEY`, `api-key`, `api.key`. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

/** Whether the value of a variable or a setting of this name is a secret. */
export function isSecretName(name: string): boolean {
  // The working directory of a shell.
  if (/^(?:OLD)?PWD$/.test(name)) return false;
  const words = [...wordsOf(name)];
  while (
    words.length > 1 &&
    (/^\d+$/.test(words.at(-1) ?? "") || suffixes.has(words.at(-1) ?? ""))
  ) {
    words.pop();
  }
  const last = words.at(-1) ?? "";
  const before = words.at(-2) ?? "";
  if (secretWords.has(last) || secretPairs.has(`${before} ${last}`)) return true;
  return (last === "key" && !openKeys.has(before)) || last === "apikey";
}

/** Tokens whose form says what they are. */
const tokens: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{32,}/g,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g,
  /\bgh[oprsu]_[A-Za-z0-9]{30,}/g,
  /\bgithub_pat_\w{30,}/g,
  /\bglpat-[\w-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bpul-[0-9a-f]{40}\b/g,
  /\b[rs]k_live_[A-Za-z0-9]{16,}/g,
  /\bxox[abeoprs]-[\w-]{16,}/g,
];

/** Forms with a secret in them: the group is the secret. */
const forms: readonly RegExp[] = [
  // The password of a URL.
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/gi,
  // A webhook of Slack: who knows the path may write.
  /\bhttps:\/\/hooks\.slack\.com\/services\/([\w/]+)/g,
  /\b(?:Basic|Bearer)\s+([\w+/.=-]{8,})/g,
];

/** `name=value`, `name: value` and `"name": "value"`, in addresses and files. */
const assignments =
  /(?:^|[\s{,;?&:/"'])["']?([A-Za-z_][\w.-]*)["']?[ \t]*[=:][ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',;&}]+))/gm;

/** A value that only says where the secret is, or that there is none. */
const reference = /^(?:\$|\{\{|%\{|<|null$|true$|false$|\[|\{|\/)/;

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^]*?)-----END [A-Z ]*PRIVATE KEY-----/g;

/** The parts of a text that are secrets, by their form. */
export function secretParts(text: string): readonly string[] {
  const all = (pattern: RegExp, group: number): readonly string[] =>
    Array.from(text.matchAll(pattern), (match) => match[group] ?? "");
  const assigned = Array.from(text.matchAll(assignments)).flatMap(([, name = "", ...values]) => {
    // One of the three groups has matched; the others are undefined.
    const value = values.join("");
    return isSecretName(name) && !reference.test(value) ? [value] : [];
  });
  // Line by line: what shows a text may break or indent it.
  const keys = all(privateKey, 1).flatMap((key) => key.split(/\\n|\s+/));
  return [
    ...tokens.flatMap((pattern) => all(pattern, 0)),
    ...forms.flatMap((pattern) => all(pattern, 1)),
    ...assigned,
    ...keys,
  ].filter((part) => part !== "");
}
