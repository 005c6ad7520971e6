import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support/compiler";

/** A copy of the components. The test follows a checklist in the copy. */
class Copy {
  readonly directory = mkdtempSync(join(tmpdir(), "services-orders-checklist-"));
  readonly edited = new Set<string>();

  constructor() {
    const parts = ["components", "config", "package.json", "test/support", "tsconfig.json"];
    for (const part of parts) {
      cpSync(join(root, part), join(this.directory, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(this.directory, "node_modules"));
  }

  /**
   * Inserts lines into a file, after an existing text. Fails if the file's name or one of the lines
   * is not in the checklist.
   */
  insert(checklist: string, file: string, after: string, lines: readonly string[]): void {
    const steps = readFileSync(join(root, "docs/checklists", checklist), "utf8");
    assert.ok(steps.includes(`\`${file}\``), `${checklist} does not name ${file}`);
    for (const line of lines) assert.ok(steps.includes(line), `${checklist} lacks ${line}`);
    const path = join(this.directory, file);
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(after), `${file} lacks ${after}`);
    writeFileSync(path, text.replace(after, `${after}${lines.join("\n")}\n`));
    this.edited.add(file);
  }

  /** Runs a program in the copy. Returns the program's output, which must be JSON. */
  run(program: string): unknown {
    writeFileSync(join(this.directory, "show.ts"), program);
    const out = execFileSync("node", ["--import", "tsx", "show.ts"], {
      cwd: this.directory,
      encoding: "utf8",
    });
    return JSON.parse(out);
  }

  remove(): void {
    rmSync(this.directory, { force: true, recursive: true });
  }
}

describe("the checklists of components", () => {
  let copy: Copy;
  beforeEach(() => {
    copy = new Copy();
  });
  afterEach(() => {
    copy.remove();
  });

  it("add an arg that reaches a field, with at most four edited files", function () {
    this.timeout(180_000);
    const checklist = "add-an-arg.md";
    const room = "components/web-service";
    copy.insert(checklist, `${room}/args.ts`, "  readonly drainSeconds?: number;\n", [
      "   /**",
      "    * How the pods resolve names. With `Default`, they do not find Services by name.",
      "    *",
      '    * @default "ClusterFirst"',
      "    */",
      '   readonly dnsPolicy?: "ClusterFirst" | "Default";',
    ]);
    const defaults = "components/conventions/defaults.ts";
    copy.insert(checklist, defaults, '  args: ["serve"],\n', ['   dnsPolicy: "ClusterFirst",']);
    const spec = "    ...workloadPodSpec({ ...web, volumes }, configMapName),\n";
    copy.insert(checklist, `${room}/pod-template.ts`, spec, ["   dnsPolicy: web.dnsPolicy,"]);

    const program = `
      import { WebService } from "./components/web-service/web-service";
      import { web } from "./test/support/fixtures";
      import { record, settled } from "./test/support/mocks";
      const specOf = async (args: object) => {
        const recorder = await record();
        new WebService("orders", { ...web, ...args });
        await settled();
        return recorder.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec.dnsPolicy;
      };
      void (async () => {
        const policies = [await specOf({}), await specOf({ dnsPolicy: "Default" })];
        console.log(JSON.stringify(policies));
      })();`;
    assert.deepEqual(copy.run(program), ["ClusterFirst", "Default"]);

    const config = { extends: "./tsconfig.json", include: ["components"] };
    writeFileSync(join(copy.directory, "tsconfig.copy.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFileSync("node", [tsc, "-p", "tsconfig.copy.json"], { cwd: copy.directory });

    // A step of the checklist also changes a test file that this copy does not contain. So the test
    // counts one more file.
    assert.ok(copy.edited.size + 1 <= 4, [...copy.edited].join(", "));
  });

  it("add a label to every object and to no selector, with one edited file", function () {
    this.timeout(60_000);
    const label = "example.com/cost-center";
    const labels = "companyLabels: Readonly<Record<string, string>> = {";
    copy.insert("add-a-label.md", "config/labels.ts", labels, [`   "${label}": "4711",`]);

    const program = `
      import { ReviewNamespace } from "./components/namespace/review-namespace";
      import { Postgres } from "./components/postgres/postgres";
      import { ScheduledJob } from "./components/scheduled-job/scheduled-job";
      import { WebService } from "./components/web-service/web-service";
      import { digest, everyPodArg, identity, job, web } from "./test/support/fixtures";
      import { record, settled } from "./test/support/mocks";
      void (async () => {
        const recorder = await record();
        const imageRef = "postgres@" + digest;
        new ReviewNamespace("namespace", { branch: "x", identity, namespace: "ns" });
        new Postgres("postgres", { identity, imageRef, namespace: "ns" });
        new ScheduledJob("nightly", job);
        new WebService("orders", { ...web, ...everyPodArg, host: "a.example.com", replicas: 2 });
        await settled();
        console.log(JSON.stringify(recorder.custom().map(({ inputs }) => inputs)));
      })();`;
    const objects = copy.run(program) as {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    }[];
    assert.ok(objects.length > 15);
    for (const object of objects) assert.equal(object.metadata.labels[label], "4711");
    const selectors = JSON.stringify(objects, (key, value: unknown) =>
      key === "metadata" ? undefined : value,
    );
    assert.ok(!selectors.includes(label));
    assert.deepEqual([...copy.edited], ["config/labels.ts"]);
  });
});
