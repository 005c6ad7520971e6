import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addTag, isGone } from "../../../operations/clients/registry";
import { keepImage, prepareBuild } from "../../../operations/deploy/built-image";
import { EcrStandIn } from "../support/ecr-stand-in";
import { StandIn } from "../support/http-stand-in";
import { Programs, reviewTarget } from "../support/programs";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const type = "application/vnd.oci.image.index.v1+json";
const hour = 3_600_000;

/** Returns a stand-in for a registry, and the registry's tags. The stand-in accepts every tag. */
function memory(): { readonly server: StandIn; readonly tags: Map<string, string> } {
  const tags = new Map([[digest, digest]]);
  const server = new StandIn(({ method, path }) => {
    if (path.includes("/tags/list")) return { body: path, status: 200 };
    const [, reference = ""] = /manifests\/(.+)$/.exec(path) ?? [];
    if (method === "PUT") tags.set(reference, digest);
    const found = tags.get(reference);
    const headers = { "content-type": type, "docker-content-digest": found ?? "" };
    if (method === "PUT") return { headers, status: 201 };
    if (found === undefined) return { body: "{}", status: 404 };
    return { body: method === "HEAD" ? "" : "{}", headers, status: 200 };
  });
  return { server, tags };
}

describe("the stand-in for ECR, and the commands with it", () => {
  let clock: number;
  let ecr: EcrStandIn;
  let host: string;
  let mayLogIn: boolean;
  let programs: Programs;
  let upstream: ReturnType<typeof memory>;

  beforeEach(async () => {
    clock = Date.parse("2026-11-27T08:00:00Z");
    upstream = memory();
    mayLogIn = true;
    ecr = new EcrStandIn({
      mayLogIn: () => mayLogIn,
      now: () => clock,
      repositories: async () =>
        Promise.resolve([
          {
            imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters: [{ filter: "build-*" }, { filter: "deployed-*" }],
            repositoryName: "orders",
          },
        ]),
      upstream: await upstream.server.start(),
    });
    host = await ecr.start();
    programs = new Programs();
    newPassword();
  });
  afterEach(async () => {
    await ecr.stop();
    await upstream.server.stop();
    programs.remove();
  });

  const env = (): Readonly<Record<string, string>> => ({
    ...programs.workspace().env,
    DOCKER_CONFIG: programs.directory,
    SANDBOX_ECR_REGION: "eu-central-1",
    SANDBOX_REGISTRY: host,
  });
  const newPassword = (): string => {
    const { password } = ecr.token();
    programs.add("aws", { "ecr get-login-password*": `echo ${password}` });
    return password;
  };
  const ask = async (
    path: string,
    password: string | undefined,
    init: RequestInit = {},
  ): Promise<{ readonly body: string; readonly headers: Headers; readonly status: number }> => {
    const login = Buffer.from(`AWS:${password ?? ""}`).toString("base64");
    const headers = password === undefined ? {} : { Authorization: `Basic ${login}` };
    const answer = await fetch(`http://${host}${path}`, { ...init, headers });
    return { body: await answer.text(), headers: answer.headers, status: answer.status };
  };

  it("refuses everything without a login, a pull too", async () => {
    for (const path of ["/v2/", `/v2/orders/manifests/${digest}`]) {
      const { body, headers, status } = await ask(path, undefined);
      assert.deepEqual([body, status], ["Not Authorized\n", 401]);
      assert.match(headers.get("www-authenticate") ?? "", /^Basic realm=.*ecr\.amazonaws\.com/);
    }
    assert.equal((await ask("/v2/", "no-token")).status, 401);
  });

  it("gives tokens that differ, and that end after 12 hours", async () => {
    const first = newPassword();
    assert.notEqual(newPassword(), first);
    clock += 12 * hour - 1;
    assert.equal((await ask("/v2/", first)).status, 200);
    clock += 1;
    const { body, status } = await ask("/v2/", first);
    assert.equal(status, 403);
    assert.match(body, /"DENIED".*Your authorization token has expired/);
  });

  it("answers GetAuthorizationToken with a token for docker login", async () => {
    const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    const answer = await fetch(`http://${host}/`, {
      headers: { "X-Amz-Target": target },
      method: "POST",
    });
    const none = { authorizationToken: "", expiresAt: 0 };
    const { authorizationData } = (await answer.json()) as {
      authorizationData: { authorizationToken: string; expiresAt: number }[];
    };
    const [{ authorizationToken, expiresAt } = none] = authorizationData;
    assert.equal(expiresAt * 1000, clock + 12 * hour);
    const [, password] = Buffer.from(authorizationToken, "base64").toString().split(":");
    assert.equal((await ask("/v2/", password)).status, 200);
  });

  it("gives no token to an identity without the right", async () => {
    mayLogIn = false;
    const answer = await fetch(`http://${host}/`, {
      headers: { "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" },
      method: "POST",
    });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /AccessDeniedException/);
  });

  it("mounts no layer from another repository: the client must upload it", async () => {
    const path = `/v2/orders/blobs/uploads/?mount=${digest}&from=other`;
    await ask(path, newPassword(), { method: "POST" });
    assert.equal(upstream.server.asked.at(-1)?.path, "/v2/orders/blobs/uploads/");
    assert.deepEqual(
      ecr.asked.map((one) => `${one.from} ${one.method} ${one.path}`),
      [`127.0.0.1 POST ${path}`],
    );
  });

  it("has no repository that was not created, and deletes nothing", async () => {
    const unknown = await ask(`/v2/other/manifests/${digest}`, newPassword());
    assert.equal(unknown.status, 404);
    assert.match(unknown.body, /NAME_UNKNOWN.*'other' does not exist in the registry with id/);
    const path = `/v2/orders/manifests/${digest}`;
    assert.equal((await ask(path, newPassword(), { method: "DELETE" })).status, 405);
    assert.ok(upstream.tags.has(digest));
  });

  it("keeps tags, except those of the filters, and takes no manifest above 4 MiB", async () => {
    const put = async (tag: string, body = "{}") =>
      ask(`/v2/orders/manifests/${tag}`, newPassword(), { body, method: "PUT" });
    assert.equal((await put("release-1")).status, 201);
    const again = await put("release-1");
    assert.equal(again.status, 400);
    assert.match(again.body, /TAG_INVALID.*'release-1' already exists in the 'orders' repository/);
    for (const tag of ["build-1", "build-1", "deployed-staging", "deployed-staging"]) {
      assert.equal((await put(tag)).status, 201, tag);
    }
    assert.equal((await put("build-2", "x".repeat(4_194_305))).status, 400);
  });

  it("lists at most 1000 tags in one answer", async () => {
    const { body } = await ask("/v2/orders/tags/list?n=5000", newPassword());
    assert.match(body, /n=1000$/);
  });

  it("lets a command log in anew when Docker's stored login has ended", async () => {
    const auth = Buffer.from(`AWS:${ecr.token().password}`).toString("base64");
    const config = JSON.stringify({ auths: { [host]: { auth } } });
    writeFileSync(join(programs.directory, "config.json"), config);
    clock += 13 * hour;
    newPassword();
    assert.equal(await addTag(`${host}/orders@${digest}`, "release-1", { env: env() }), "added");
  });

  it("shows which image is gone, and only warns when it cannot tell", async () => {
    assert.equal(await isGone(`${host}/orders@${digest}`, env()), false);
    assert.equal(await isGone(`${host}/orders@${other}`, env()), true);
    programs.add("aws", { "*": "echo 'Unable to locate credentials' >&2; exit 255" });
    assert.equal(await isGone(`${host}/orders@${other}`, env()), false);
  });

  const target = () => {
    const found = reviewTarget(programs.workspace(env()));
    return { ...found, settings: { ...found.settings, imageRepository: `${host}/orders` } };
  };

  it("lets an update build again an image that is gone, and no other", async () => {
    programs.add("docker", { "*": "cat > /dev/null" });
    const urn = "urn:pulumi:review-feature-a::services-orders::image";
    for (const [inState, options] of [
      [digest, []],
      [other, ["--replace", urn]],
    ] as const) {
      const inputs = { tags: [`${host}/orders:build-1`] };
      const image = { inputs, outputs: { digest: inState }, type: "docker-build:index:Image", urn };
      const state = JSON.stringify({ deployment: { resources: [image] } });
      programs.add("pulumi", { "stack export*": `echo '${state}'` });
      assert.deepEqual(await prepareBuild(target()), options);
    }
  });

  it("moves the tag of a stack to the image that runs, and needs no tag elsewhere", async () => {
    const tag = `deployed-${target().settings.stack}`;
    upstream.tags.set(tag, other);
    await keepImage(target(), `${host}/orders@${digest}`);
    assert.equal(upstream.tags.get(tag), digest);
    const { length } = upstream.server.asked;
    await keepImage(target(), `localhost:1/orders@${digest}`);
    assert.equal(upstream.server.asked.length, length);
  });
});
