import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { settingsFrom } from "../../settings";
import { root } from "../support/compiler";
import { leavesOf } from "../support/fields";
import { digest } from "../support/fixtures";
import { record, settled } from "../support/mocks";
import program = require("../../index");

const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Returns the table rows of a page that begin with code, each as a list of cells. */
const rowsOf = (page: string): readonly (readonly string[])[] =>
  [...read(page).matchAll(/^\| (`.*) \|$/gm)].map(([, row = ""]) =>
    row.split(" | ").map((cell) => cell.trim()),
  );

const code = (cell = "") => /`([^`]+)`/.exec(cell)?.[1] ?? "";

/**
 * Names of the values that the Helm chart received for each feature branch, in the order of the
 * table in docs/from-helm.md.
 */
const setLines = [
  "nameOverride",
  "fullnameOverride",
  "labels.app",
  "labels.service",
  "labels.branch",
  "labels.commit_id",
  "labels.protected_branch",
  "labels.version",
  "env.APP_ENDPOINT",
  "ingress.hosts[0]",
  'labels."tags.datadoghq.com/version"',
  "env.DD_VERSION",
];

describe("docs/from-helm.md", () => {
  const rows = rowsOf("docs/from-helm.md").slice(1, 1 + setLines.length);

  it("has every line that the chart was given", () => {
    assert.deepEqual(
      rows.map(([line]) => code(line)),
      setLines,
    );
  });

  it("says what a review stack has in place of each of them", async () => {
    const settings = settingsFrom({
      config: {
        "services-orders:branch": "my-branch",
        "services-orders:imageRef": `localhost:5000/services-orders@${digest}`,
      },
      env: { SANDBOX_EKS_CLUSTER: "none" },
      git: { branch: "my-branch", commit: "0123456789".repeat(4) },
      stack: "review-my-branch",
    });
    const recorder = await record(settings.stack);
    await program({
      readCluster: () => Promise.resolve({ clusterUid: "1", namespace: undefined }),
      readSettings: () => Promise.resolve(settings),
    });
    await settled();
    const leaves = leavesOf(recorder);
    const field = (now: string) => {
      const name = code(now);
      if (now.startsWith("host")) return "Ingress services-orders spec.rules[0].host";
      const path = now.startsWith("variable")
        ? `spec.template.spec.containers[name=services-orders].env[name=${name}].value`
        : `metadata.labels${/^\w+$/.test(name) ? `.${name}` : `["${name}"]`}`;
      return `Deployment services-orders ${path}`;
    };
    for (const [line, now = "", value] of rows) {
      assert.equal(leaves.get(field(now)), JSON.stringify(code(value)), line);
    }
    assert.equal(settings.namespace, "services-orders-review-my-branch");
  });

  it("names what decides each of them, in the file where it is", () => {
    for (const [line, , , where = ""] of rows) {
      const [, file = ""] = /\]\(\.\.\/(.*)\)$/.exec(where) ?? [];
      assert.match(read(file), new RegExp(`\\b${code(where)}\\b`), line);
    }
  });
});

describe("docs/what-you-see.md", () => {
  it("quotes only what the commands say", () => {
    const rooms = ["cli", "components/conventions/rollout", "lib", "operations", "program"];
    const sources = rooms
      .flatMap((room) =>
        readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".ts"))
          .map((name) => read(join(room, name))),
      )
      .join("\n");
    const page = read("docs/what-you-see.md");
    for (const phrase of [
      "Service: Java code to jars (Maven)",
      "What will change in stack ",
      "Changing stack ",
      "done in ",
      "Nothing was changed.",
      " to continue: ",
      " (everything ",
      "Waiting for the stack's lock",
      "What Kubernetes says in namespace ",
      "Last lines of ",
      " gets no pod: ",
      " finds no node",
      "ended with exit code ",
      "runs, but is not ready",
      "nothing: see Pulumi's output above for the cause",
      " (previous run)",
      "To see all of it: ",
      "The rollout of Deployment ",
      " still there",
      "still runs",
      "cause.txt",
    ]) {
      assert.ok(sources.includes(phrase), `no command says "${phrase}" any more`);
      assert.ok(page.includes(phrase.trim()), `the page does not quote "${phrase}"`);
    }
  });
});

describe("links of the guide", () => {
  const guide = readdirSync(join(root, "docs", "guide")).map((name) => `docs/guide/${name}`);
  for (const page of ["docs/guide.md", "docs/from-helm.md", "docs/what-you-see.md", ...guide]) {
    it(`of ${page} lead somewhere`, () => {
      for (const [, link = ""] of read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? page : join(dirname(page), path);
        assert.ok(existsSync(join(root, target)), `${page}: ${link}`);
        if (anchor === undefined) continue;
        const anchors = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
          title
            .toLowerCase()
            .replace(/[^\w\s-]/g, "")
            .trim()
            .replace(/\s/g, "-"),
        );
        assert.ok(anchors.includes(anchor), `${page}: ${link}`);
      }
    });
  }
});
