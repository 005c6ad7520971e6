import assert from "node:assert/strict";
import { people } from "../../components/conventions/ci-roles";
import { policiesOf } from "../../platform/admission/admission-policies";
import type { Policy } from "../../platform/admission/policy";
import { settings } from "../support/platform";
import type { Manifest } from "../support/mocks";
import { refusals, selects } from "./support/admission-stand-in";
import {
  developerJobs,
  scheduledRun,
  type StackObjects,
  stackObjects,
} from "./support/developer-jobs";

const { circleci, review } = settings;
const policies = Object.values(policiesOf({ circleci, environments: ["staging"], review }));
const developer = { groups: [people.developers.group], username: "services-orders:person:ada" };
const namespace = "services-orders-staging";

/** Returns the messages with which the policies refuse a request about a Job or a pod. */
function messagesOf(
  objects: StackObjects,
  { object, oldObject }: { readonly object?: Manifest; readonly oldObject?: Manifest },
  userInfo: { readonly groups: readonly string[]; readonly username: string } = developer,
): readonly string[] {
  const operation = object === undefined ? "DELETE" : oldObject === undefined ? "CREATE" : "UPDATE";
  const { cronJob, deployment, podTemplate } = objects;
  const params: Readonly<Record<string, unknown>> = {
    CronJob: cronJob,
    Deployment: deployment,
    PodTemplate: podTemplate,
  };
  const { kind, metadata } = object ?? oldObject;
  const resource = `${String(kind).toLowerCase()}s`;
  const checks = ({ on }: Policy) =>
    on.some(({ operations, resources }) =>
      [operations.includes(operation), resources.includes(resource)].every(Boolean),
    );
  const request = { namespace, operation, resource: { resource }, userInfo } as const;
  return policies
    .filter((policy) => checks(policy) && selects(policy, metadata.labels ?? {}))
    .flatMap((policy) =>
      refusals(policy, {
        object: object ?? null,
        oldObject: oldObject ?? null,
        params: policy.requires && params[policy.requires.kind],
        request,
      }),
    );
}

describe("an attack by a developer in staging", () => {
  let objects: StackObjects;
  before(async () => {
    objects = await stackObjects(namespace);
  });

  for (const { attacks, jobOf, name } of developerJobs) {
    describe(`with a Job of ${name}`, () => {
      it("is not the Job of the command itself", () => {
        assert.deepEqual(messagesOf(objects, { object: jobOf(objects) }), []);
      });

      for (const [what, [change, message]] of Object.entries(attacks)) {
        it(`is refused when it ${what}`, () => {
          const object = jobOf(objects);
          change(object);
          assert.match(messagesOf(objects, { object }).join("\n"), message);
          // The policies that refuse this Job apply only to developers. The program may create the
          // Job.
          const userInfo = { ...developer, groups: ["services-orders:staging"] };
          assert.deepEqual(messagesOf(objects, { object }, userInfo), []);
        });
      }
    });
  }

  describe("with a Job that exists", () => {
    const changed = (change: (job: Manifest) => void) => {
      const object = scheduledRun(objects);
      change(object);
      return messagesOf(objects, { object, oldObject: scheduledRun(objects) });
    };

    it("may only stop it", () => {
      const { activeDeadlineSeconds } = scheduledRun(objects).spec as Readonly<
        Record<"activeDeadlineSeconds", number>
      >;
      assert.deepEqual(
        changed(({ spec }) => (spec.activeDeadlineSeconds = 1)),
        [],
      );
      const message = /may only shorten the deadline of a Job/;
      const later = activeDeadlineSeconds + 1;
      assert.match(changed(({ spec }) => (spec.activeDeadlineSeconds = later)).join(), message);
      assert.match(changed(({ spec }) => delete spec.activeDeadlineSeconds).join(), message);
      assert.match(changed(({ spec }) => (spec.suspend = true)).join(), message);
      const label = changed(({ metadata }) => (metadata.labels["jobs/run-of"] = "other"));
      assert.match(label.join(), message);
    });

    it("stops and deletes no Job and no pod of a deploy", () => {
      const migration = { kind: "Job", metadata: { labels: {} }, spec: {} };
      const stopped = { ...migration, spec: { activeDeadlineSeconds: 1 } };
      assert.match(
        messagesOf(objects, { object: stopped, oldObject: migration }).join(),
        /may stop only runs of scheduled jobs/,
      );
      const pod = { kind: "Pod", metadata: { labels: { app: "services-orders" } } };
      for (const oldObject of [migration, pod]) {
        assert.match(
          messagesOf(objects, { oldObject }).join(),
          /may create and delete only the Jobs of/,
        );
      }
      assert.deepEqual(messagesOf(objects, { oldObject: scheduledRun(objects) }), []);
      const labels = { "debug/twin-of": "services-orders" };
      assert.deepEqual(messagesOf(objects, { oldObject: { ...pod, metadata: { labels } } }), []);
    });
  });
});
