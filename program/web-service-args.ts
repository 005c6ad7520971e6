import { pod } from "../components/conventions/defaults";
import { defined } from "../components/conventions/with-defaults";
import type { WebServiceArgs } from "../components/web-service/web-service";
import type { Settings } from "../settings";

/** Args of a web service, except those that come from the stack's resources. */
export type ArgsFromSettings = Omit<WebServiceArgs, "database" | "imageRef" | "namespace">;

/** Args that a web service takes from the settings. A canary takes the same. */
export function webServiceArgs(settings: Settings): ArgsFromSettings & Pick<Settings, "replicas"> {
  const { ingressGroupName, ingressPreset, ingressScheme } = settings;
  // The other two are settings of the preset.
  const preset =
    ingressPreset === undefined ? {} : defined({ ingressGroupName, ingressPreset, ingressScheme });
  return {
    ...preset,
    host: settings.host,
    identity: settings.identity,
    ingressClassName: settings.ingressClassName,
    ...(settings.quickStart ? { javaOptions: [pod.quickStart] } : {}),
    publicPort: settings.publicPort,
    release: settings.release,
    replicas: settings.replicas,
    requests: settings.requests,
    tls: settings.tls,
  };
}
