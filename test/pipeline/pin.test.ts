import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executorImages } from "../../config/circleci";
import { taggedImage } from "../../operations/clients/registry";
import { pin } from "../../pipeline/pin";
import { project } from "../../lib/project";
import { StandIn } from "../operations/support/http-stand-in";

const digest = `sha256:${"a".repeat(64)}`;
const newer = `sha256:${"b".repeat(64)}`;

describe("npm run pipeline -- pin", () => {
  let root: string;
  let named: string;
  const config = (): string => readFileSync(join(root, "config/circleci.ts"), "utf8");

  /**
   * A stand-in for a registry that accepts only the tokens of its token service, like Docker Hub:
   * https://distribution.github.io/distribution/spec/auth/token/. In this stand-in, tokens do not
   * expire.
   */
  const registry = new StandIn(({ headers, method, path }) => {
    const scope = "repository:team/java:pull";
    if (path.startsWith("/token?")) {
      const query = new URLSearchParams(path.split("?")[1]);
      const isComplete = query.get("scope") === scope && query.get("service") === "the registry";
      return { body: JSON.stringify({ token: "t" }), status: isComplete ? 200 : 400 };
    }
    if (headers.authorization !== "Bearer t") {
      const realm = `http://${headers.host ?? ""}/token`;
      const challenge = `Bearer realm="${realm}",service="the registry",scope="${scope}"`;
      return { headers: { "www-authenticate": challenge }, status: 401 };
    }
    if (method !== "HEAD" || path !== "/v2/team/java/manifests/17.0.14-node")
      return { status: 404 };
    return { headers: { "docker-content-digest": named }, status: 200 };
  });
  let host: string;
  before(async () => {
    host = new URL(await registry.start()).host;
  });
  after(async () => {
    await registry.stop();
  });
  beforeEach(() => {
    named = digest;
    root = mkdtempSync(join(tmpdir(), "services-orders-pin-"));
    mkdirSync(join(root, "config"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const image = (tag: string): string => `${host}/team/java:${tag}`;
  const pinned = async (java: string): Promise<void> =>
    pin(async (repository, tag) => taggedImage(repository, tag, {}), root, { java });

  it("adds the digest that the registry has for the tag, and replaces an older one", async () => {
    const java = image("17.0.14-node");
    writeFileSync(join(root, "config/circleci.ts"), `  java: "${java}",\n`);
    await pinned(java);
    assert.equal(config(), `  java: "${java}@${digest}",\n`);
    named = newer;
    await pinned(`${java}@${digest}`);
    assert.equal(config(), `  java: "${java}@${newer}",\n`);
    await pinned(`${java}@${newer}`);
    assert.equal(config(), `  java: "${java}@${newer}",\n`);
  });

  it("changes nothing if the registry does not have the tag", async () => {
    writeFileSync(join(root, "config/circleci.ts"), `  java: "${image("18")}",\n`);
    await assert.rejects(
      pinned(image("18")),
      /does not have .*\/team\/java:18\. Nothing was changed/,
    );
    assert.equal(config(), `  java: "${image("18")}",\n`);
  });

  it("asks Docker Hub for an image without a registry, as Docker does", async () => {
    const text = readFileSync(join(project, "config/circleci.ts"), "utf8");
    writeFileSync(join(root, "config/circleci.ts"), text);
    const asked: string[] = [];
    await pin(async (repository, tag) => {
      asked.push(`${repository}:${tag}`);
      return Promise.resolve(`${repository}@${digest}`);
    }, root);
    const tagged = Object.values(executorImages).map((one) => one.split("@")[0] ?? "");
    assert.deepEqual(
      asked,
      tagged.map((one) => `docker.io/${one}`),
    );
    for (const one of tagged) assert.ok(config().includes(`"${one}@${digest}"`), one);
  });
});
