import * as v from "valibot";
import { company } from "../../config/company";
import { command } from "../../lib/command";
import { parsedJson } from "../../lib/json";
import {
  checks,
  type Finding,
  type Patient,
  type Row,
  notNeeded,
  ok,
  unanswered,
  unknown,
  wrong,
} from "./finding";

const certificates = v.object({
  CertificateSummaryList: v.array(
    v.object({
      DomainName: v.string(),
      SubjectAlternativeNameSummaries: v.optional(v.array(v.string()), []),
    }),
  ),
});

/** Whether a name in a certificate covers a host. A wildcard covers one label. */
export function covers(name: string, host: string): boolean {
  return name === host || (name.startsWith("*.") && host.replace(/^[^.]+/, "*") === name);
}

/**
 * Returns whether one of the account's issued certificates covers a host.
 *
 * @param answer output of `aws acm list-certificates`
 */
export function certificateIn(answer: string, host: string, region: string): Finding {
  const parsed = parsedJson(certificates, answer);
  if (parsed === undefined) return unknown("the answer of ACM has an unknown form");
  const names = parsed.CertificateSummaryList.flatMap((one) => [
    one.DomainName,
    ...one.SubjectAlternativeNameSummaries,
  ]);
  const found = names.find((name) => covers(name, host));
  const wildcard = host.replace(/^[^.]+/, "*");
  return found === undefined
    ? wrong(`ACM in ${region} has no issued certificate for ${host}. Request one for ${wildcard}`)
    : ok(`ACM in ${region} has a certificate for ${found}, which covers ${host}`);
}

/** Whether the load balancer finds a certificate for the host of the stacks. */
export const certificate = async ({
  left,
  settings,
}: Pick<Patient, "left" | "settings">): Promise<readonly Row[]> => {
  const { host, ingressPreset, tls } = settings;
  return [{ check: checks.certificate, ...(await found()) }];

  async function found(): Promise<Finding> {
    if (!tls) return notNeeded("the setting tls is false");
    if (ingressPreset !== "eks-alb") {
      return unknown(
        `the ingress controller provides the certificate of ${host}. To check it, open https://${host}/ after the first deploy`,
      );
    }
    const { region } = settings.eksCluster ?? company.reviewCluster;
    const args = ["acm", "list-certificates", "--certificate-statuses", "ISSUED"];
    // Without this filter, ACM does not list certificates with long RSA keys or with elliptic-curve
    // keys.
    const keys =
      "keyTypes=RSA_1024,RSA_2048,RSA_3072,RSA_4096,EC_prime256v1,EC_secp384r1,EC_secp521r1";
    const where = ["--includes", keys, "--region", region, "--output", "json"];
    return command("aws", [...args, ...where], { killSignal: "SIGKILL", timeout: left() }).then(
      (answer) => certificateIn(answer, host, region),
      (error: unknown) => {
        const { text } = unanswered(error, "ask ACM");
        const wildcard = host.replace(/^[^.]+/, "*");
        return unknown(
          `${text}. With an AWS role that may list certificates, look for an issued certificate for ${wildcard}`,
        );
      },
    );
  }
};
