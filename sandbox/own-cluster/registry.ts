import { registryUrl } from "../layout";

/** Timeout of the request, in milliseconds. */
const patienceMs = 8_000;

/**
 * Checks that a registry answers with a success status or with status 401. Status 401 means that
 * the registry requires a login. The check does not log in, because only the builder and the
 * cluster have the credentials. The check accepts a certificate that Node.js does not trust.
 *
 * @returns what is wrong and what to do. Undefined if the registry answers.
 */
export async function registryIssue(registry: string): Promise<string | undefined> {
  const url = `${registryUrl(registry)}/v2/`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) }).catch(
    (error: unknown) => (isAboutCertificate(error) ? unknownCertificate : undefined),
  );
  if (answer?.ok === true || answer?.status === 401) return undefined;
  const said = answer === undefined ? "does not answer" : `answers ${String(answer.status)}`;
  return `the registry ${registry} ${said} at ${url}; check its name, and run the command again`;
}

/**
 * If Node.js does not trust the registry's certificate, the check uses this value instead of a
 * response.
 */
const unknownCertificate = { ok: true, status: 200 };

/**
 * Whether the registry has answered, but Node.js does not trust its certificate. Docker and the
 * cluster may trust a company's certificate authority that Node.js does not trust.
 */
function isAboutCertificate(error: unknown): boolean {
  const { code = "" } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return /CERT|SIGNATURE/.test(code);
}
