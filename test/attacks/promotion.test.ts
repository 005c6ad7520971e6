import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promote } from "../../operations/release/promote";
import { smoke } from "../../operations/release/smoke";
import { inDeployProject, inOneProject } from "../../pipeline/pipelines";
import { StandIn } from "../operations/support/http-stand-in";
import { Programs } from "../operations/support/programs";

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const commitOf = (digit: string): string => digit.repeat(40);

describe("an attack by the order of two pipelines of main", () => {
  let directory: string;
  let programs: Programs;
  let registry: StandIn;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-promotion-"));
    programs = new Programs();
    registry = new StandIn(({ method, path }) => {
      if (method === "PUT") return { status: 201 };
      return { body: "{}", status: path.includes("sha256:") ? 200 : 404 };
    });
  });
  afterEach(async () => {
    await registry.stop();
    programs.remove();
    rmSync(directory, { recursive: true });
  });

  interface Pipeline {
    /** File that `promote` writes for the pipeline's later jobs. */
    readonly saveRelease: string;
    readonly promote: () => Promise<void>;
    readonly smoke: () => Promise<void>;
  }

  /**
   * Returns the jobs of a pipeline. The pipeline has deployed the commit `ofPipeline` to staging,
   * and staging now runs the commit `inStaging`. Each argument is one digit. The digit represents a
   * commit and the commit's image.
   */
  async function pipeline(ofPipeline: string, inStaging: string): Promise<Pipeline> {
    const host = (await registry.start()).slice("http://".length);
    const imageOf = (digit: string) => `${host}/services-orders@${digestOf(digit)}`;
    const imageRef = imageOf(inStaging);
    const url = "http://127.0.0.1:9/";
    const outputs = { branch: "main", commit: commitOf(inStaging), imageRef, url };
    const spec = { template: { spec: { containers: [{ image: imageRef }] } } };
    const resources = [
      { outputs, type: "pulumi:pulumi:Stack", urn: "a" },
      { outputs: { spec }, type: "kubernetes:apps/v1:Deployment", urn: "b" },
    ];
    programs.add("pulumi", {
      "*stack ls*": `echo '[{"name":"staging"}]'`,
      "*stack output --stack staging*": `echo '${JSON.stringify(outputs)}'`,
      "*stack export --stack staging*": `echo '${JSON.stringify({ deployment: { resources } })}'`,
    });
    const deployed = join(directory, "deployed.json");
    const report = {
      commit: commitOf(ofPipeline),
      imageRef: imageOf(ofPipeline),
      stack: "staging",
    };
    writeFileSync(deployed, JSON.stringify(report));
    const saveRelease = join(directory, "release.env");
    const workspace = programs.workspace();
    return {
      promote: async () => promote({ deployed, saveRelease }, workspace),
      saveRelease,
      smoke: async () => smoke("staging", { deployed }, workspace),
    };
  }

  const refusal = new RegExp(
    `^Stack "staging" now runs \\S+@${digestOf("2")} \\(2222222\\), but this pipeline deployed ` +
      `\\S+@${digestOf("1")} \\(1111111\\): continue in the pipeline that deployed last, .*$`,
  );

  it("M1 fails: a pipeline promotes only what it has deployed, not what a later one has", async () => {
    const { promote: promoted } = await pipeline("1", "2");
    await assert.rejects(promoted(), ({ message }: Error) => refusal.test(message));
    assert.deepEqual(registry.asked, []);
  });

  it("M1 fails: the smoke test of a pipeline does not test what a later one has deployed", async () => {
    const { smoke: tested } = await pipeline("1", "2");
    await assert.rejects(tested(), ({ message }: Error) => refusal.test(message));
  });

  it("lets a pipeline promote what it has deployed", async () => {
    const { promote: promoted, saveRelease } = await pipeline("1", "1");
    await promoted();
    assert.ok(readFileSync(saveRelease, "utf8").includes(digestOf("1")));
  });

  it("gives both commands the report of the pipeline's own deploy", () => {
    for (const files of [inOneProject["config.yml"], inDeployProject["deploy.yml"]]) {
      for (const name of ["smoke-staging", "promote"]) {
        const steps = JSON.stringify(files?.jobs[name]?.steps);
        assert.match(
          steps,
          /attach_workspace.*npm run \w+ -- (?:staging )?--deployed reports\/deployed\.json/,
        );
      }
    }
  });
});
