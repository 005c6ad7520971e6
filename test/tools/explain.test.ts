import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { mock } from "node:test";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { project } from "../../lib/project";
import { leaves } from "../../operations/preview/changes/differences";
import type { Json } from "../../operations/pulumi/events";
import type { Answer } from "../../tools/explain/answer";
import { explain } from "../../tools/explain/explain";
import { UnknownWord, answersTo } from "../../tools/explain/find";
import {
  type Knowledge,
  fieldsOf,
  readKnowledge,
  settingKeys,
} from "../../tools/explain/knowledge";
import { readStacks } from "../../tools/explain/stacks";
import { linesOf } from "../../tools/explain/text";
import { safe } from "../../tools/explain/values";

const golden = join(project, "test", "golden");

/** A Kubernetes object of a golden manifest. */
interface Manifest {
  readonly apiVersion?: string;
  readonly kind: string;
}

/**
 * Returns, from the golden manifests, the kind of each object, and the kind and the path of each
 * field.
 */
function goldenFields(): ReadonlySet<string> {
  const files = readdirSync(golden).filter((name) => name.endsWith(".yaml"));
  const objects = files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(golden, name), "utf8")).map(
      (document) => document.toJS() as Manifest,
    ),
  );
  const inKubernetes = objects.filter(({ apiVersion }) => apiVersion !== undefined);
  return new Set(
    inKubernetes.flatMap((object) => [
      object.kind,
      ...leaves(object as unknown as Json).map(([path]) => `${object.kind}.${path}`),
    ]),
  );
}

const workspaceOf = (stack: string) =>
  Promise.resolve({
    cwd: project,
    env: stack === "local" ? { RELEASE_BRANCH: "x", SANDBOX_REGISTRY: "localhost:5000" } : {},
  });

describe("the values that npm run explain shows", () => {
  it("have no password, also if JSON writes the password in another way", () => {
    const url = String.raw`https://partner:p"w\d-hush@example.com/`;
    assert.equal(safe("partnerUrl", url), "https://partner:[secret]@example.com/");
  });
});

describe("npm run explain", () => {
  let knowledge: Knowledge;
  before(async function () {
    this.timeout(120_000);
    // Reads the sources of the answers only once, because the tests ask about thousands of words.
    knowledge = readKnowledge(await readStacks(workspaceOf));
  });

  const one = (word: string, what: RegExp): Answer => {
    const found = answersTo(word, knowledge).filter((answer) => what.test(answer.what));
    assert.equal(found.length, 1, `${word}: ${found.map((answer) => answer.what).join("; ")}`);
    return found[0] as Answer;
  };
  const says = ({ consequences }: Answer): readonly string[] =>
    consequences.map((each) => `${each.kind} ${each.path}: ${each.says}`);
  const textOf = (answer: Answer): string => linesOf(answer).join("\n");

  describe("about every arg of every component", () => {
    it("says what it does, its default, and what a change does", () => {
      /** Args that set no field: resource options, and values that the component only checks. */
      const options = ["demands", "protect", "retain"];
      // The Job of a migration exists only with the arg `longMigration`, so the table of the
      // preview does not contain this override.
      const unmapped = "overrides.migrationJobSpec";
      let asked = 0;
      for (const component of knowledge.components) {
        const isPlatform = component.place.file.startsWith("platform/");
        for (const { doc, name, required } of component.args) {
          const word = `${component.name}.${name}`;
          const answer = one(word, /^arg of/);
          asked += 1;
          assert.match(answer.what, new RegExp(`\\b${component.name}\\b`));
          if (isPlatform) continue;
          assert.notEqual(answer.text, "", word);
          assert.ok(
            required ||
              name === "overrides" ||
              answer.default !== undefined ||
              /override/.test(name),
            `${word}: default`,
          );
          assert.equal(doc.text, answer.text);
          const { [name]: its } = fieldsOf(component);
          // A canary has no Ingress, so some args of a service set no field of a canary.
          const isFree =
            its?.length === 0 && (options.includes(name) || component.name === "Canary");
          const advice = `${word}: add its fields to operations/preview/provenance/`;
          assert.equal(answer.becomes.length > 0, !isFree && name !== unmapped, advice);
          assert.equal(answer.consequences.length > 0, answer.becomes.length > 0, word);
          for (const { effect, says: words } of answer.consequences) {
            assert.notEqual(effect, "unknown", `${word}: ${words}`);
          }
        }
      }
      assert.ok(asked > 200, String(asked));
    }).timeout(60_000);

    it("has the fields of the preview's own table", () => {
      for (const component of knowledge.components) {
        for (const [name, its] of Object.entries(fieldsOf(component))) {
          const { becomes } = one(`${component.name}.${name}`, /^arg of/);
          for (const { kind, path } of its) assert.ok(becomes.includes(`${kind} ${path}`.trim()));
        }
      }
    }).timeout(60_000);
  });

  it("answers about every field in the goldens, with Kubernetes' text and the impact", () => {
    const words = goldenFields();
    assert.ok(words.size > 500, String(words.size));
    for (const word of words) {
      const answer = one(word, /^(?:field of|kind of object)/);
      assert.notEqual(answer.text, "", word);
      assert.ok(answer.consequences.length > 0, word);
      assert.ok(answer.written.length > 0, `${word}: no line creates it`);
      // The preview knows the impact of changes to objects of stacks, but not to objects of the
      // platform project.
      const isPlatform = answer.written.every(({ file }) => file.startsWith("platform/"));
      for (const { effect } of answer.consequences) {
        assert.ok(isPlatform || effect !== "unknown", word);
      }
    }
  }).timeout(120_000);

  it("answers about every setting, with the value in each stack", () => {
    for (const key of settingKeys) {
      const { allowed = "", place, text } = one(key, /^setting$/);
      assert.notEqual(text, "", key);
      assert.notEqual(allowed, "", key);
      assert.match(place?.file ?? "", /^settings\//, key);
    }
  });

  it("shows the line that sets an arg in each stack", () => {
    const { values, written } = one("WebService.replicas", /^arg/);
    const set = Object.fromEntries(
      values.flatMap((each) =>
        each.stacks.map((stack) => [stack, `${JSON.stringify(each.value)} ${each.set ?? ""}`]),
      ),
    );
    const lineOf = (file: string, text: RegExp): string => {
      const lines = readFileSync(join(project, file), "utf8").split("\n");
      return `${file}:${String(lines.findIndex((line) => text.test(line)) + 1)}`;
    };
    const inTable = `${lineOf("settings/table.ts", /^ {2}replicas: /)}, default of setting replicas`;
    assert.deepEqual(set, {
      local: `2 ${inTable}`,
      prod: `3 ${lineOf("Pulumi.prod.yaml", /:replicas:/)}`,
      "review-<slug>": `1 ${inTable}`,
      staging: `2 ${lineOf("Pulumi.staging.yaml", /:replicas:/)}`,
    });
    const passed = lineOf("program/web-service-args.ts", /replicas: settings\.replicas/);
    assert.deepEqual(
      written.map(({ file, line }) => `${file}:${String(line)}`),
      [passed],
    );
  });

  it("finds the settings behind a value that the program computes", () => {
    const { values } = one("WebService.host", /^arg/);
    const staging = values.find(({ stacks }) => stacks.includes("staging"));
    assert.match(staging?.set ?? "", /^Pulumi\.staging\.yaml:\d+; Pulumi\.staging\.yaml:\d+$/);
    assert.deepEqual(one("hostPattern", /^setting/).becomes.slice(0, 2), [
      "Canary.host",
      "WebService.host",
    ]);
  });

  it("shows the entries of jobs.ts, and no value of another component", () => {
    const schedule = textOf(one("ScheduledJob.schedule", /^arg/));
    assert.match(schedule, /jobs\.ts:\d+ +schedule: "30 3 \* \* \*"/);
    assert.match(schedule, /CronJob spec\.schedule, and 1 more +from the next run on/);
    const files = one("ScheduledJob.javaOptions", /^arg/).written.map(({ file }) => file);
    assert.deepEqual(files, []);
  });

  const impacts: Readonly<Record<string, RegExp>> = {
    "ConfigMap.data": /^ConfigMap data: recreated; new pods use it$/,
    "CronJob.spec.suspend": /^CronJob spec\.suspend: runs (?:are suspended|resume), or runs/,
    "Deployment.metadata.name": /^Deployment metadata\.name: REPLACED, downtime$/,
    "Deployment.spec.replicas": /^Deployment spec\.replicas: more or fewer pods$/,
    "Deployment.spec.selector": /^Deployment spec\.selector: REPLACED, downtime$/,
    "Deployment.spec.template.spec.containers.image": /containers\[\*\]\.image: new pods, rolling/,
    "PodDisruptionBudget.spec": /^PodDisruptionBudget spec: nothing: it applies when a node/,
    "StatefulSet.spec.template": /^StatefulSet spec\.template: the database restarts/,
  };
  for (const [word, impact] of Object.entries(impacts)) {
    it(`says what a change of ${word} does`, () => {
      assert.match(says(one(word, /^field/))[0] ?? "", impact);
    });
  }

  it("shows what each field below does, for a field that has several", () => {
    const all = says(one("Deployment.spec", /^field/)).join("\n");
    assert.match(all, /spec\.selector: REPLACED/);
    assert.match(all, /spec\.template: new pods, rolling/);
    assert.match(all, /^Deployment spec: nothing$/m);
  });

  it("names the args that set a field, and its value in each stack", () => {
    const { setBy, values } = one("deployment.spec.strategy", /^field/);
    assert.deepEqual(setBy.slice(-3), [
      "WebService.maxSurge",
      "WebService.maxUnavailable",
      "WebService.overrides.deploymentSpec",
    ]);
    const surge = values.find(({ path }) => path === "spec.strategy.rollingUpdate.maxSurge");
    assert.deepEqual(surge?.value, "25%");
    assert.equal(surge.stacks.length, 5);
  });

  const same: Readonly<Record<string, string>> = {
    "autoscaling.maxReplicas": "part of an arg of WebService",
    "onFailure.tell": "part of an arg of ScheduledJob",
    podspec: "arg of Canary",
    "web.maxSurge": "arg of WebService",
    "web.rollout.maxSurge": "arg of WebService",
    WebService: "component",
  };
  for (const [word, what] of Object.entries(same)) {
    it(`understands ${word}`, () => {
      const found = answersTo(word, knowledge).map((answer) => answer.what);
      assert.ok(
        found.some((each) => each.startsWith(what)),
        found.join("; "),
      );
    });
  }

  it("shows no secret, and no digest that does not exist", () => {
    const secret = JSON.stringify(one("Secret.data", /^field/));
    assert.match(secret, /\[secret\]/);
    const values = ["imageRef", "database", "Secret.data"].flatMap((word) =>
      answersTo(word, knowledge),
    );
    const text = JSON.stringify(values);
    assert.match(text, /<digest-of-the-image>/);
    assert.doesNotMatch(text, /0{64}/);
  });

  const mistakes: Readonly<Record<string, RegExp>> = {
    "Deployment.spec.stratgy": /Did you mean "Deployment\.spec\.strategy"/,
    Deploymnet: /Did you mean "Deployment"/,
    "WebService.replcas": /Did you mean "WebService\.replicas"/,
    replcas:
      /^No arg, setting, component, object or field is called "replcas"\. Did you mean "replicas"\?$/,
    "something else entirely": /Name an arg, an object or a field, such as replicas/,
  };
  for (const [word, message] of Object.entries(mistakes)) {
    it(`suggests similar words for ${word}, in one line`, () => {
      assert.throws(
        () => answersTo(word, knowledge),
        (error: Error) => {
          assert.ok(error instanceof UnknownWord);
          assert.match(error.message, message);
          return !error.message.includes("\n");
        },
      );
    });
  }

  it("prints the answers as JSON", async () => {
    let printed = "";
    mock.method(process.stdout, "write", (text: string) => ((printed += text), true));
    await explain("replicas", { json: true }, workspaceOf).finally(() => {
      mock.restoreAll();
    });
    const { answers, version } = JSON.parse(printed) as {
      readonly answers: readonly Answer[];
      readonly version: number;
    };
    assert.equal(version, 1);
    assert.deepEqual(
      answers.map(({ what }) => what),
      ["arg of WebService", "arg of Canary", "setting"],
    );
  }).timeout(60_000);
});
