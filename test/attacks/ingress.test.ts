import assert from "node:assert/strict";
import { reviewGroup, reviewUser } from "../../components/conventions/ci-roles";
import { ingresses, serviceAccounts, services } from "../../platform/admission/review-policies";
import { settings } from "../support/platform";
import { refusals } from "./support/admission-stand-in";

const { circleci, review } = settings;
const request = {
  namespace: "services-orders-review-evil",
  operation: "CREATE" as const,
  userInfo: { groups: [reviewGroup(circleci.projectId)], username: reviewUser("evil") },
};
const alb = "alb.ingress.kubernetes.io";

/** Returns the messages with which the platform refuses the Ingress of branch `evil`. */
function ingress(
  annotations: Readonly<Record<string, string>>,
  host = "services-orders-evil.review.example.com",
  port: object = { name: "http" },
): readonly string[] {
  const paths = [{ backend: { service: { name: "services-orders", port } }, path: "/" }];
  const object = {
    metadata: {
      annotations: {
        [`${alb}/group.name`]: "services-orders-review",
        [`${alb}/healthcheck-path`]: "/health/ready",
        [`${alb}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
        [`${alb}/scheme`]: "internal",
        [`${alb}/ssl-policy`]: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        [`${alb}/ssl-redirect`]: "443",
        [`${alb}/target-group-attributes`]: "deregistration_delay.timeout_seconds=30",
        [`${alb}/target-type`]: "ip",
        ...annotations,
      },
    },
    spec: { ingressClassName: "alb", rules: [{ host, http: { paths } }] },
  };
  return refusals(ingresses(review), { object, request });
}

describe("an attack on the load balancer of the review stacks", () => {
  it("does not refuse what the program makes", () => {
    assert.deepEqual(ingress({}), []);
    assert.deepEqual(ingress({ [`${alb}/listen-ports`]: '[{"HTTP":80}]' }), []);
  });

  for (const [key, value] of [
    ["healthcheck-path", "no path"],
    ["listen-ports", '[{"HTTPS":80}]'],
    ["ssl-policy", "ELBSecurityPolicy-none"],
    ["ssl-redirect", "99999"],
    ["target-group-attributes", "deregistration_delay.timeout_seconds=99999"],
    ["target-type", "instance"],
  ] as const) {
    it(`fails with the value "${value}" of ${key}, with which the controller stops`, () => {
      const [message = "none", ...more] = ingress({ [`${alb}/${key}`]: value });
      assert.ok(message.startsWith(`${alb}/${key} of a review stack must match`), message);
      assert.deepEqual(more, []);
    });
  }

  it("fails with annotations that the program does not set", () => {
    for (const key of ["actions.web", "certificate-arn", "group.order", "conditions.web"]) {
      assert.deepEqual(ingress({ [`${alb}/${key}`]: "x" }), [
        "the Ingress of a review stack may have only the annotations that the program gives it",
      ]);
    }
  });

  it("fails with a backend whose annotation does not exist", () => {
    assert.deepEqual(ingress({}, undefined, { name: "use-annotation" }), [
      "the Ingress of a review stack may route only to Services, not to use-annotation",
    ]);
  });

  it("fails with a host for which there is no certificate", () => {
    assert.deepEqual(ingress({}, "services-orders.evil.review.example.com"), [
      "every rule of a review stack's Ingress must have the host services-orders-<slug>.review.example.com, and the Ingress must have no default backend",
    ]);
  });

  it("fails with the controller's annotations on a Service, and with a role on a ServiceAccount", () => {
    const service = {
      metadata: { annotations: { [`${alb}/target-type`]: "instance" } },
      spec: { type: "ClusterIP" },
    };
    assert.deepEqual(refusals(services, { object: service, request }), [
      "the annotations of a review stack's Service must not ask for DNS names or load balancers",
    ]);
    const account = { metadata: { annotations: { "eks.amazonaws.com/role-arn": "arn:x" } } };
    assert.deepEqual(refusals(serviceAccounts, { object: account, request }), [
      "a ServiceAccount of a review stack must not have an IAM role",
    ]);
  });
});
