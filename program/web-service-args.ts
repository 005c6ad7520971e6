import type { WebServiceArgs } from "../components/web-service/web-service";
import type { Settings } from "../settings";

/** What a web service takes from resources of the stack and not from its settings. */
type FromResources = "database" | "imageRef" | "namespace";

/** Args that a web service takes from the settings; a canary takes the same. */
export function webServiceArgs(settings: Settings) {
  const { ingressGroupName, ingressPreset, ingressScheme } = settings;
  const preset =
    ingressPreset === undefined
      ? {}
      : {
          ...(ingressGroupName === undefined ? {} : { ingressGroupName }),
          ingressPreset,
          ingressScheme,
        };
  return {
    ...preset,
    host: settings.host,
    identity: settings.identity,
    ingressClassName: settings.ingressClassName,
    publicPort: settings.publicPort,
    release: settings.release,
    replicas: settings.replicas,
    requests: settings.requests,
    tls: settings.tls,
  } satisfies Omit<WebServiceArgs, FromResources>;
}
