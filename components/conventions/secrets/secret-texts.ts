/**
 * Finds secrets in texts, by the name of a variable and by the form of a value. Previews, plans,
 * messages and the policy pack use this file. A scanner such as secretlint is too large for CI jobs
 * with permissions in AWS, and does not check the names of variables.
 */

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(" "));

/** If the name of a value ends with one of these words, the value is a secret. */
const secretWords = setOf(
  "auth credential credentials creds dsn pass passphrase passwd password passwords pwd secret " +
    "secrets token tokens",
);
const secretPairs = new Set(["connection string", "webhook url"]);
/**
 * If one of these words comes before "key" (such as "cache key"), the value is not a secret. The
 * value of any other key is a secret.
 */
const openKeys = setOf("cache foreign object partition primary public range routing sort");
/**
 * Words that may follow a word of `secretWords`, for example in `TOKEN_OLD`. Such a word
 * distinguishes several secrets, or names the encoding of the secret.
 */
const suffixes = setOf("base64 b64 current hex new old previous primary secondary value");

/** Returns the words of a name in any notation: `apiKey`, `API_KEY`, `api-key`, `api.key`. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

/** Whether the value of a variable or a setting with this name is a secret. */
export function isSecretName(name: string): boolean {
  // `PWD` and `OLDPWD` contain directories of a shell, not passwords.
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

/** Forms of tokens that are secrets in any text. */
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

/**
 * Forms of texts that contain a secret. The group in each regular expression matches the secret.
 */
const forms: readonly RegExp[] = [
  // The password in a URL.
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/gi,
  // A webhook of Slack: anyone who knows the path can post messages.
  /\bhttps:\/\/hooks\.slack\.com\/services\/([\w/]+)/g,
  /\b(?:Basic|Bearer)\s+([\w+/.=-]{8,})/g,
];

/** Matches `name=value`, `name: value` and `"name": "value"`, in URLs and files. */
const assignments =
  /(?:^|[\s{,;?&:/"'])["']?([A-Za-z_][\w.-]*)["']?[ \t]*[=:][ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',;&}]+))/gm;

/**
 * Form of values that are not secrets, such as a reference to a secret, a path, `null` or `true`.
 */
const reference = /^(?:\$|\{\{|%\{|<|null$|true$|false$|\[|\{|\/)/;

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^]*?)-----END [A-Z ]*PRIVATE KEY-----/g;

/**
 * Whether `name: value` is part of a sentence, and therefore does not assign a secret. Example:
 * `cannot compute the cache key: failed to read`. In a sentence, the value is a word, and other
 * words come before the name and after the value.
 */
function isSentence({ 0: found, index }: RegExpExecArray, text: string): boolean {
  return (
    /[a-z] $/.test(text.slice(0, index + 1)) &&
    /: [a-z]+$/.test(found) &&
    /^ [a-z]/.test(text.slice(index + found.length))
  );
}

/**
 * Finds the names of secrets in a text, and returns their values. The value of any other name may
 * also contain the name of a secret, for example a URL with a query. So the function also searches
 * these values.
 */
function assigned(text: string): readonly string[] {
  return Array.from(text.matchAll(assignments)).flatMap((match) => {
    // One of the regular expression's last three groups has matched. The other two groups are
    // undefined.
    const [, name = "", ...values] = match;
    const value = values.join("");
    if (!isSecretName(name)) return assigned(value);
    return reference.test(value) || isSentence(match, text) ? [] : [value];
  });
}

/** Returns the parts of a text that are secrets. */
export function secretParts(text: string): readonly string[] {
  // In JSON, a text with several lines is one line with escaped line breaks and quotes.
  const lines = text.replace(/\\[nrt]/g, "\n").replaceAll('\\"', '"');
  return lines === text ? partsOf(text) : [...partsOf(text), ...partsOf(lines)];
}

function partsOf(text: string): readonly string[] {
  const all = (pattern: RegExp, group: number): readonly string[] =>
    Array.from(text.matchAll(pattern), (match) => match[group] ?? "");
  // Each line of a private key is a separate part, because a program that prints the key may break
  // or indent its lines.
  const keys = all(privateKey, 1).flatMap((key) => key.split(/\\n|\s+/));
  return [
    ...tokens.flatMap((pattern) => all(pattern, 0)),
    ...forms.flatMap((pattern) => all(pattern, 1)),
    ...assigned(text),
    ...keys,
  ].filter((part) => part !== "");
}
