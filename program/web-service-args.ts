import { pod, quickRollout } from "../components/conventions/defaults";
import { callersAuthenticatedByAnnotation } from "../components/conventions/metadata";
import { defined } from "../components/conventions/with-defaults";
import type { WebServiceArgs } from "../components/web-service/web-service";
import type { Settings } from "../settings";

/** Args of a web service, except those whose values come from other resources of the stack. */
export type ArgsFromSettings = Omit<WebServiceArgs, "database" | "imageRef" | "namespace">;

/** Returns the args of a web service that come from the settings. A canary also gets these args. */
export function webServiceArgs(settings: Settings): ArgsFromSettings & Pick<Settings, "replicas"> {
  const { callersAuthenticatedBy, ingressGroupName, ingressPreset, ingressScheme } = settings;
  const { waitForIngress } = settings;
  // A web service accepts `ingressGroupName` and `ingressScheme` only together with
  // `ingressPreset`.
  const preset =
    ingressPreset === undefined ? {} : defined({ ingressGroupName, ingressPreset, ingressScheme });
  return {
    ...(settings.quickRollout ? quickRollout : {}),
    ...preset,
    host: settings.host,
    identity: settings.identity,
    ingressAnnotations: defined({
      [callersAuthenticatedByAnnotation]: callersAuthenticatedBy,
      // Pulumi's Kubernetes provider does not wait for an object with this annotation.
      "pulumi.com/skipAwait": waitForIngress ? undefined : "true",
    }),
    ingressClassName: settings.ingressClassName,
    ...(settings.quickStart ? { javaOptions: [pod.quickStart] } : {}),
    publicPort: settings.publicPort,
    release: settings.release,
    replicas: settings.replicas,
    requests: settings.requests,
    tls: settings.tls,
  };
}
