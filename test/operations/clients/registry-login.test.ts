import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../lib/errors";
import { logInToPush } from "../../../operations/clients/registry-login";
import { update } from "../../../operations/deploy/deploy";
import { Programs, reviewTarget } from "../support/programs";

const host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";

describe("the login before an image is pushed", () => {
  let programs: Programs;
  const before = process.env["DOCKER_CONFIG"];
  beforeEach(() => {
    programs = new Programs();
    process.env["DOCKER_CONFIG"] = join(programs.directory, "config");
    mkdirSync(process.env["DOCKER_CONFIG"]);
    programs.add("aws", { "ecr get-login-password --region eu-west-1": "echo secret-token" });
    programs.add("docker", { "login *": `cat > ${join(programs.directory, "given")}` });
  });
  afterEach(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, "DOCKER_CONFIG");
    else process.env["DOCKER_CONFIG"] = before;
    programs.remove();
  });

  const env = (): Readonly<Record<string, string>> => programs.workspace().env;

  it("gives Docker the password of ECR, and on no command line", async () => {
    await logInToPush(`${host}/services-orders`, env());
    assert.deepEqual(programs.calls, [
      "aws ecr get-login-password --region eu-west-1",
      `docker login --username AWS --password-stdin ${host}`,
    ]);
    assert.equal(readFileSync(join(programs.directory, "given"), "utf8"), "secret-token");
  });

  it("is not needed for another registry, or with a credential helper", async () => {
    await logInToPush("localhost:5000/services-orders", env());
    await logInToPush("ghcr.io/team/services-orders", env());
    const config = JSON.stringify({ credHelpers: { [host]: "ecr-login" } });
    writeFileSync(join(programs.directory, "config", "config.json"), config);
    await logInToPush(`${host}/services-orders`, env());
    assert.deepEqual(programs.calls, []);
  });

  it("comes before the update of a stack that builds its image, and of no other", async () => {
    const at = (more: object) => {
      const target = reviewTarget({ ...programs.workspace(), lockWait: { patienceMs: 0 } });
      const imageRepository = `${host}/services-orders`;
      return { ...target, settings: { ...target.settings, imageRepository, ...more } };
    };
    programs.add("pulumi", { "stack export*": "echo '{}'" });
    await update(at({}));
    const first = programs.calls.map((call) => call.split(" ").slice(0, 2).join(" "));
    assert.deepEqual(first, ["aws ecr", "docker login", "pulumi stack", "pulumi up"]);
    await update(at({ imageRef: `${host}/services-orders@sha256:${"a".repeat(64)}` }));
    await update(at({ environment: "prod" }));
    const logins = programs.calls.filter((call) => call.startsWith("docker login"));
    assert.equal(logins.length, 1);
  });

  it("names the registry and the cause when AWS refuses", async () => {
    programs.add("aws", { "*": "echo 'Unable to locate credentials' >&2; exit 255" });
    await assert.rejects(logInToPush(`${host}/services-orders`, env()), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /^Cannot log in to 111122223333\.dkr\.ecr\.eu-west-1\.amazonaws\.com, .*: Unable to locate credentials\. .* Nothing was changed\.$/,
      );
      return true;
    });
  });
});
