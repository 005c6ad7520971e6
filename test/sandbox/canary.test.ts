import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { options } from "../../tools/sandbox/layout";
import { setTimeout as sleep } from "node:timers/promises";
import { Clone } from "./clone";
import { kubectl, type Run, refused, succeeded } from "./commands";
import { fillSecret, prepareProduction, production, removeProduction } from "./production";

/** Version that answers one request on a connection of its own; throws when it is not answered well. */
async function ask(): Promise<string> {
  const { ingressPort: port } = options();
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const headers = { Host: production.host };
    const sent = request(
      { agent, headers, host: "127.0.0.1", path: "/orders", port, timeout: 10_000 },
      (answer) => {
        answer.resume();
        answer.once("end", () => {
          if (answer.statusCode === 200) resolve(String(answer.headers["service-version"]));
          else reject(new Error(`status ${String(answer.statusCode)}`));
        });
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("no answer"))).once("error", reject);
    sent.end();
  });
}

/** Asks all the time until it is stopped; says how many were answered by whom, and which failed. */
class Requests {
  readonly failures: string[] = [];
  readonly versions = new Map<string, number>();
  #stopped = false;
  readonly #running = this.#run();

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const version = await ask().catch((error: unknown) => void this.failures.push(String(error)));
      if (version !== undefined) {
        this.versions.set(version, (this.versions.get(version) ?? 0) + 1);
      }
      await sleep(20);
    }
  }
}

/** Pods of the canary behind production's Service. */
async function canaryEndpoints(): Promise<number> {
  const of = ["get", "endpointslices", "-l", "kubernetes.io/service-name=services-orders"];
  const slices = await kubectl(["-n", production.namespace, ...of, "-o", "json"]);
  const { items } = JSON.parse(slices) as {
    items: { endpoints?: { conditions: { ready?: boolean }; targetRef?: { name: string } }[] }[];
  };
  return items
    .flatMap(({ endpoints = [] }) => endpoints)
    .filter(
      ({ conditions, targetRef }) =>
        conditions.ready === true && targetRef?.name.includes("-canary-"),
    ).length;
}

describe("a canary", () => {
  let clone: Clone;
  let image: string;
  /** What production runs. */
  let released: string;
  /** The branch's commit. */
  let candidate: string;

  const start = async (branch: string, ...more: string[]): Promise<Run> =>
    clone.npm(["canary", "start", branch, "--for", "2h", "--image", image, "--yes", ...more]);

  before(async () => {
    clone = await Clone.make();
    await prepareProduction(clone);
    released = await clone.commit("Production on the sandbox");
    await clone.push("main");
  });
  after(async () => {
    await removeProduction();
    clone.remove();
  });

  it("has a production beside it, promoted with a reason and deployed by its digest", async () => {
    await clone.git("checkout", "--quiet", "-b", "ops-image");
    await clone.push("ops-image");
    image =
      succeeded(await clone.npm(["image", "review"]))
        .output.trim()
        .split("\n")
        .at(-1) ?? "";
    await clone.git("checkout", "--quiet", "main");
    const from = ["--image", image, "--commit", released, "--branch", "main"];
    refused(await clone.npm(["promote", ...from]), /needs --reason/);
    const promoted = await clone.npm(["promote", ...from, "--reason", "the first one"]);
    assert.match(
      succeeded(promoted).output,
      /tag release-[0-9a-f]{7}-[0-9a-f]{12}: (added|was there)/,
    );
    refused(await clone.npm(["deploy", "prod"]), /add --yes.*Nothing was changed/);
    const [run] = await Promise.all([clone.npm(["deploy", "prod", "--yes"]), fillSecret()]);
    succeeded(run);
    const outputs = ["stack", "output", "--json", "--stack", "prod"];
    const { commit, imageRef, releaseReason } = JSON.parse(await clone.pulumi(outputs)) as Record<
      string,
      string
    >;
    assert.deepEqual([commit, imageRef, releaseReason], [released, image, "the first one"]);
    await clone.pulumi(["preview", "--stack", "prod", "--expect-no-changes"]);
  });

  it("is refused when its share is far from what is asked", async () => {
    await clone.git("checkout", "--quiet", "-b", "ops-canary");
    writeFileSync(join(clone.directory, "README.md"), "more");
    candidate = await clone.commit("A change");
    await clone.push("ops-canary");
    refused(
      await start("ops-canary", "--percent", "10", "--commit", candidate),
      /= 1 canary pod beside 3 .*: 25 % of the requests, 10 % asked[^]*more than twice/,
    );
  });

  it("is refused with a migration of its own, and without what production runs", async () => {
    const directory = join(clone.directory, "service/src/main/resources/db/migration");
    writeFileSync(join(directory, "V99__more.sql"), "SELECT 1;");
    const migrating = await clone.commit("A migration");
    refused(
      await start("ops-canary", "--percent", "25", "--commit", migrating),
      /database migrations that production has not: .*V99__more\.sql/,
    );
    await clone.git("checkout", "--quiet", "--orphan", "ops-orphan");
    appendFileSync(join(clone.directory, "README.md"), "other");
    const orphan = await clone.commit("Something else");
    refused(
      await start("ops-orphan", "--percent", "25", "--commit", orphan),
      /does not contain what production runs/,
    );
    await clone.git("checkout", "--quiet", "main");
  });

  it("answers its share of production's requests; none fails while it starts and stops", async () => {
    const during = new Requests();
    const run = succeeded(await start("ops-canary", "--percent", "25", "--commit", candidate));
    assert.match(run.output, /answers 25 % of production's requests/);
    assert.equal(await canaryEndpoints(), 1);
    refused(await start("ops-canary", "--percent", "25", "--commit", candidate), /runs already/);
    const status = succeeded(await clone.npm(["canary", "status"])).output;
    assert.match(status, /1 Ready beside 3 of production: 25 % of the requests, 25 % asked/);

    const steady = await Promise.all(
      Array.from({ length: 400 }, async (_, n) => sleep(n * 10).then(ask)),
    );
    const own = steady.filter((version) => version.startsWith(candidate.slice(0, 7))).length;
    console.log(`      ${String(own)} of 400 requests answered by the canary, 25 % asked`);
    assert.ok(own > 60 && own < 140, `${String(own)} of 400`);

    const stopping = clone.npm(["canary", "stop"]);
    const began = Date.now();
    while ((await canaryEndpoints()) > 0 && Date.now() - began < 60_000) await sleep(200);
    console.log(
      `      no longer an endpoint ${((Date.now() - began) / 1000).toFixed(1)} s after stop (goal: 15)`,
    );
    succeeded(await stopping);
    await during.stop();
    assert.deepEqual(during.failures, []);
    assert.match((await clone.npm(["canary", "status"])).output, /No canary runs/);
  });

  it("is swept when it has expired, and production stays as it is", async () => {
    const uids = async (): Promise<string> => {
      const kinds = "deployments,services,ingresses,pods";
      return kubectl([
        "-n",
        production.namespace,
        "get",
        kinds,
        "-o",
        "jsonpath={.items[*].metadata.uid}",
      ]);
    };
    const was = await uids();
    succeeded(await start("ops-canary", "--percent", "25", "--commit", candidate));
    const before = succeeded(await clone.npm(["sweep", "--only", "canary", "--apply"])).output;
    assert.match(before, /stays +canary +prod-canary: of "ops-canary" expires in/);
    const past = ["expires", new Date(0).toISOString()];
    await clone.pulumi(["stack", "tag", "set", "--stack", "prod-canary", ...past]);
    const swept = succeeded(await clone.npm(["sweep", "--only", "canary", "--apply"]));
    assert.match(swept.output, /goes +canary +prod-canary: of "ops-canary" expired/);
    assert.equal(await uids(), was);
  });

  it("does not keep production from being protected: destroy changes nothing", async () => {
    const namespace = ["get", "namespace", production.namespace, "-o", "jsonpath={.metadata.uid}"];
    const was = await kubectl(namespace);
    await assert.rejects(
      clone.pulumi(["destroy", "--stack", "prod", "--yes", "--skip-preview"]),
      /protect/,
    );
    assert.equal(await kubectl(namespace), was);
  });

  it("is followed by its release, after which an older one is refused", async () => {
    const env = { RELEASE_BRANCH: "main", RELEASE_COMMIT: candidate, RELEASE_IMAGE_REF: image };
    succeeded(await clone.npm(["deploy", "prod", "--yes"], env));
    const late = { ...env, RELEASE_COMMIT: released };
    refused(await clone.npm(["deploy", "prod", "--yes"], late), /newer than .*--allow-older/);
  });
});
