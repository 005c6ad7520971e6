import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promote } from "../../operations/release/promote";
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

  /**
   * Promotes in a pipeline of the commit `ofPipeline` while staging runs the commit `inStaging`.
   * Returns the file that the command writes for the pipeline's later jobs.
   */
  async function promoted(ofPipeline: string, inStaging: string): Promise<string> {
    const host = (await registry.start()).slice("http://".length);
    const imageRef = `${host}/services-orders@${digestOf(inStaging)}`;
    const outputs = { branch: "main", commit: commitOf(inStaging), imageRef };
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
    const saveRelease = join(directory, "release.env");
    const env = { CIRCLE_SHA1: commitOf(ofPipeline) };
    await promote({ saveRelease }, programs.workspace(env));
    return readFileSync(saveRelease, "utf8");
  }

  it("M1 succeeds: a pipeline promotes what a later one has deployed, before its smoke test", async () => {
    assert.ok((await promoted("1", "2")).includes(digestOf("2")));
  });
});
