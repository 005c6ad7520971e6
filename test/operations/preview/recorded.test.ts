import assert from "node:assert/strict";
import { exceeds, planOf } from "../../../operations/preview/plan";
import { summaryOf } from "../../../operations/preview/impact/summary";
import { textOf } from "../../../operations/preview/render/text";
import { recorded } from "../support/recorded-previews";

/** The summaries of the previews that test/end-to-end/preview.test.ts recorded. */
const texts: Readonly<Record<string, readonly string[]>> = {
  autoscaling: [
    "Preview of local: the autoscaler decides the number of pods",
    "WebService services-orders",
    "  the autoscaler decides the number of pods  autoscaling  new HorizontalPodAutoscaler services-orders",
  ],
  "deleted-job": [
    "Preview of local: deleted: no more runs, and a current run is stopped",
    "ScheduledJob export-json",
    "  deleted: no more runs, and a current run is stopped  -  CronJob",
  ],
  env: [
    "Preview of local: new pods, rolling, no downtime",
    "WebService services-orders",
    "  new pods, rolling, no downtime  env  env[ORDERS_MODE]: slow → fast (2 fields)",
  ],
  host: [
    "Preview of local: the old host stops answering, the new one starts",
    "WebService services-orders",
    "  the old host stops answering, the new one starts  host         rules[services-orders-preview.localhost].host: services-orders-preview.localhost → services-orders-preview-2.localhost",
    "  new pods, rolling, no downtime              host         env[APP_ENDPOINT]: http://services-orders-preview.localhost:8080/ → http://services-orders-preview-2.localhost:8080/ (2 fields)",
    "ScheduledJob expire-unpaid, export",
    "  from the next run on                        appEndpoint  env[APP_ENDPOINT]: http://services-orders-preview.localhost:8080/ → http://services-orders-preview-2.localhost:8080/",
  ],
  image: [
    "Preview of local: new pods, rolling, no downtime",
    "WebService services-orders",
    "  new pods, rolling, no downtime  imageRef  image: services-orders@a01d338826d2… → services-orders@c287d03a3364… (2 fields)",
    "ScheduledJob expire-unpaid, export",
    "  from the next run on            imageRef  image: services-orders@a01d338826d2… → services-orders@c287d03a3364…",
  ],
  immutable: [
    "Preview of local: DANGER: REPLACED, downtime, and its data are deleted",
    "Postgres postgres",
    "  ! REPLACED, downtime, and its data are deleted  storage  volumeClaimTemplates[0].spec.resources.requests.storage: 1Gi → 2Gi",
    "note: A changed field of StatefulSet postgres is immutable in Kubernetes, so the preview failed at this object. The summary does not show the changes after this failure.",
  ],
  "job-schedule": [
    "Preview of local: from the next run on",
    "ScheduledJob export-json",
    "  from the next run on  schedule  schedule: 17 3 * * * → 27 4 * * *",
  ],
  memory: [
    "Preview of local: new pods, rolling, no downtime",
    "WebService services-orders",
    "  new pods, rolling, no downtime  requests  resources.limits.memory: 256Mi → 300Mi (4 fields)",
    "ScheduledJob expire-unpaid, export",
    "  from the next run on            requests  resources.limits.memory: 256Mi → 300Mi (2 fields)",
  ],
  "new-job": [
    "Preview of local: new job",
    "ScheduledJob export-json",
    "  new job  -  CronJob, schedule 17 3 * * *",
  ],
  nothing: ["Preview of local: nothing changes"],
  renamed: [
    "Preview of local: DANGER: recreated as orders, then deleted: the Service's old name stops resolving",
    "WebService services-orders",
    "  ! recreated as orders, then deleted: the Service's old name stops resolving  -                   Ingress, HorizontalPodAutoscaler, Deployment, PodDisruptionBudget, Service, ServiceAccount",
    "ScheduledJob expire-unpaid, export",
    "  from the next run on                        serviceAccountName  serviceAccountName: services-orders → orders",
    "WebService orders",
    "  new                                         -                   PodDisruptionBudget, Service, ServiceAccount, Deployment, Ingress, HorizontalPodAutoscaler",
    "note: Was services-orders renamed to orders? A new name is a new object: Pulumi creates the new one, then deletes the old one.",
  ],
  replicas: [
    "Preview of local: 1 pod more",
    "WebService services-orders",
    "  1 pod more                                  replicas  replicas: 1 → 2",
    "  nothing: it applies when a node is drained  replicas  new PodDisruptionBudget services-orders",
  ],
  "secret-reference": [
    "Preview of local: new pods, rolling, no downtime",
    "WebService services-orders",
    "  new pods, rolling, no downtime  env  env[ORDERS_KEY].valueFrom.secretKeyRef.key: a → b (2 fields)",
  ],
  selector: [
    "Preview of local: DANGER: REPLACED, downtime",
    "WebService services-orders",
    "  ! REPLACED, downtime  overrides.deploymentSpec  selector.matchLabels.tier: web",
  ],
};

describe("the summary of a recorded preview", () => {
  for (const [name, lines] of Object.entries(texts)) {
    it(`says what a person should know: ${name}`, () => {
      const events = recorded(name);
      const text = textOf(summaryOf("local", events, events.errors.length === 0 ? 0 : 255));
      assert.deepEqual(text.trimEnd().split("\n"), lines);
    });
  }

  it("has a plan that covers itself and no other", () => {
    const plans = Object.keys(texts).map((name) => planOf("local", recorded(name)));
    for (const one of plans) {
      for (const other of plans) {
        assert.equal(exceeds(one, other).length === 0, one === other || other.changes.length === 0);
      }
    }
  });
});
