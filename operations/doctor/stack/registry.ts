import { messageOf } from "../../../lib/errors";
import { span } from "../../../lib/time";
import { type RegistryAnswer, askRegistry, imageParts } from "../../clients/registry";
import { ecrRegion } from "../../clients/registry-login";
import { type Finding, notNeeded, ok, unknown, wrong } from "../finding";
import type { StackCheck, StackPatient } from "./patient";
import { buildsImage } from "./tools";

/**
 * A tag that no image has. The check requests this tag if the digest of the stack's image is not
 * known. The response still shows whether the registry accepts the login.
 */
const noImage = "doctor";

/** The object that the check requests from the registry: a repository, and an image in it. */
interface Wanted {
  /** Undefined if the stack builds its image, or has no image yet. */
  readonly digest: string | undefined;
  readonly repository: string;
}

async function wantedBy({ outputs, settings }: StackPatient): Promise<Wanted | undefined> {
  const last = await outputs.catch(() => undefined);
  const imageRef = buildsImage(settings) ? undefined : (settings.imageRef ?? last?.imageRef);
  if (imageRef !== undefined) {
    const { digest, host, path } = imageParts(imageRef);
    return { digest, repository: `${host}/${path}` };
  }
  const repository = settings.imageRepository;
  return repository === undefined ? undefined : { digest: undefined, repository };
}

/**
 * Whether the registry answers, accepts the login of this shell, and has the image that the stack
 * runs. Also compares the clock of this machine with the clock of the registry.
 */
export const registry: StackCheck = async (patient) => {
  const { left, workspace } = patient;
  const wanted = await wantedBy(patient);
  const without = (finding: Finding) => [
    { check: "registry", ...finding },
    {
      check: "clock",
      ...unknown("the time of another machine is unknown, because no registry has answered"),
    },
  ];
  if (wanted === undefined) return without(notNeeded("the setting imageRepository is not set"));
  const { digest, repository } = wanted;
  try {
    const answer = await askRegistry(repository, digest ?? noImage, workspace.env, left());
    const onEcr = ecrRegion(repository.split("/")[0] ?? "", workspace.env) !== undefined;
    return [
      { check: "registry", ...registryIn(answer, wanted, onEcr) },
      { check: "clock", ...clockIn(answer) },
    ];
  } catch (error) {
    return without(wrong(messageOf(error).replace(/\.$/, "")));
  }
};

/**
 * Returns whether a stack can use a registry. `code` and `status` are the registry's response to a
 * request for an image.
 *
 * @param needsRepository whether a push to a repository that does not exist fails, as on ECR
 */
export function registryIn(
  { code, status }: Pick<RegistryAnswer, "code" | "status">,
  { digest, repository }: Wanted,
  needsRepository: boolean,
): Finding {
  if (status === 200) return ok(`${repository} has the image of the stack`);
  if (status === 401 || status === 403) {
    return wrong(
      `${repository} answers ${String(status)}. Log in to the registry with docker login, or check the AWS role`,
    );
  }
  if (status !== 404) return unknown(`${repository} answers ${String(status)}. Try again`);
  if (needsRepository && code === "NAME_UNKNOWN") {
    return wrong(
      `repository ${repository} does not exist. An administrator creates it: npm run platform -- up`,
    );
  }
  return digest === undefined
    ? ok(`${repository} answers`)
    : wrong(
        `${repository} does not have the image ${digest} any more, so no new pod starts. ` +
          "Build the image again: check out its commit, and run npm run image -- staging",
      );
}

/**
 * Largest difference between two clocks for which the result is `ok`, in milliseconds. AWS refuses
 * requests whose time is wrong by more than 5 minutes. A token is not valid before its start time.
 */
const mostSkewMs = 60_000;

/** Compares the clock of this machine with the header `Date` of a response. */
export function clockIn({
  date,
  received,
  sent,
}: Omit<RegistryAnswer, "code" | "status">): Finding {
  if (date === undefined) return unknown("the answer of the registry has no time");
  // The header contains no fractions of a second. The registry wrote the header between the request
  // and the response.
  const [earliest, latest] = [date.getTime() - received, date.getTime() + 1_000 - sent];
  const skew = earliest > 0 ? earliest : Math.min(0, latest);
  if (Math.abs(skew) <= mostSkewMs) return ok("agrees with the clock of the registry");
  return wrong(
    `${span(skew)} ${skew > 0 ? "behind" : "ahead of"} the clock of the registry. Synchronize the clock of this machine`,
  );
}
