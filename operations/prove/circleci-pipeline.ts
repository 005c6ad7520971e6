import { stringify } from "yaml";
import { service } from "../../config/service";

/** Name of the workflow in the pipeline of `npm run prove -- circleci`. */
const workflowName = "prove";

/** Context that only jobs of `main` may use. The pipeline does not read the context's values. */
const restrictedContext = `${service}-staging`;

/** Directory into which a job writes its report. The job stores this directory as an artifact. */
export const seenDirectory = "prove-seen";

/**
 * Step that writes the report of a job: the branch, CONFIG_REF, the claims of the job's token, and
 * the files in the job's directory `prove`. Such a file comes, for example, from the workspace or
 * from a cache. The step does not store the token itself, because every member of the project can
 * read artifacts.
 */
const observe = {
  run: {
    command: [
      "node -e '",
      'const fs = require("node:fs");',
      'const token = process.env.CIRCLE_OIDC_TOKEN_V2 || "";',
      'const claims = token === "" ? {} : JSON.parse(Buffer.from(token.split(".")[1], "base64url"));',
      "const files = {};",
      'if (fs.existsSync("prove")) for (const name of fs.readdirSync("prove"))',
      '  files[name] = fs.readFileSync("prove/" + name, "utf8").trim();',
      `fs.mkdirSync("${seenDirectory}", { recursive: true });`,
      "const { CIRCLE_BRANCH: branch, CIRCLE_JOB: job, CONFIG_REF: configRef } = process.env;",
      "const seen = JSON.stringify({ branch, claims, configRef, files });",
      `fs.writeFileSync("${seenDirectory}/" + job + ".json", seen);`,
      "'",
    ].join("\n"),
    name: "what this job sees",
  },
};
const keep = { store_artifacts: { path: seenDirectory } };
const write = (file: string, text: string) => ({
  run: { command: `mkdir -p prove; echo "${text}" > prove/${file}`, name: `${file}: ${text}` },
});
const persist = (file: string) => ({
  persist_to_workspace: { paths: [`prove/${file}`], root: "." },
});
const attach = { attach_workspace: { at: "." } };
const key = (name: string) => `prove-{{ .Environment.CIRCLE_WORKFLOW_ID }}-${name}`;
const save = (of: string, file: string) => ({
  save_cache: { key: of, paths: [`~/project/prove/${file}`] },
});
const restore = (of: string) => ({ restore_cache: { keys: [of] } });
const shared = "prove-shared-";

const job = (...steps: readonly unknown[]) => ({
  environment: { CONFIG_REF: "<< pipeline.config.ref >>" },
  executor: "prove",
  steps,
});

/**
 * Returns the configuration of a pipeline whose jobs record how CircleCI behaves. The pipeline does
 * not check out code, needs no secret, and changes nothing outside of CircleCI. CircleCI deletes
 * the pipeline's caches and artifacts at the end of their retention times.
 */
export function proofPipeline(): string {
  return stringify(
    {
      version: 2.1,
      executors: { prove: { docker: [{ image: "cimg/node:22.14.0" }], resource_class: "small" } },
      jobs: {
        parallel: job(write("of-parallel", "parallel"), persist("of-parallel"), observe, keep),
        write: job(
          restore(shared),
          observe,
          keep,
          write("newest", "first"),
          save(key("newest"), "newest"),
          write("newest", "second"),
          save(key("newest-and-longer"), "newest"),
          write("immutable", "first"),
          save(key("immutable"), "immutable"),
          write("immutable", "second"),
          save(key("immutable"), "immutable"),
          write("shared", "$CIRCLE_BRANCH"),
          save(`${shared}{{ .Environment.CIRCLE_WORKFLOW_ID }}`, "shared"),
          write("of-write", "write"),
          persist("of-write"),
        ),
        read: job(attach, restore(key("newest")), restore(key("immutable")), observe, keep),
        failing: job(write("of-failing", "failing"), persist("of-failing"), {
          run: { command: "exit 1", name: "this job must fail" },
        }),
        "after-failure": job(attach, observe, keep),
        restricted: job(observe, keep),
      },
      workflows: {
        [workflowName]: {
          when: 'pipeline.git.branch != ""',
          jobs: [
            "parallel",
            "write",
            { approve: { requires: ["write"], type: "approval" } },
            { read: { requires: ["approve"] } },
            "failing",
            { "after-failure": { requires: [{ failing: ["failed"] }] } },
            { restricted: { context: [restrictedContext] } },
          ],
        },
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
}
