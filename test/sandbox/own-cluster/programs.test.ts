import { Surroundings } from "../support/temporary";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemOf } from "../../../sandbox/own-cluster/install-hints";
import { missingPrograms } from "../../../sandbox/own-cluster/programs";
import { versions } from "../../../sandbox/install/parts";
import { Programs } from "../../operations/support/programs";

describe("the programs that a developer's own cluster needs", () => {
  let programs: Programs;
  let jdk: string;
  const surroundings = new Surroundings();
  beforeEach(() => {
    programs = new Programs();
    surroundings.set("PATH", programs.directory);
    jdk = join(programs.directory, "jdk");
    mkdirSync(join(jdk, "bin"), { recursive: true });
    writeFileSync(join(jdk, "bin", "javac"), "");
  });
  afterEach(() => {
    programs.remove();
    surroundings.restore();
  });

  const says = (text: string): Readonly<Record<string, string>> => ({ "*": `echo '${text}'` });
  const java = (version: string, home = jdk): Readonly<Record<string, string>> =>
    says(`Apache Maven 3.9.9\nJava version: ${version}, vendor: Any, runtime: ${home}`);
  const builder = (error: string): Readonly<Record<string, string>> => ({
    "buildx inspect": `echo 'Name: default'; echo 'Driver: docker'; echo; ${error}`,
    "*": "echo v0",
  });

  function all(): void {
    programs.add("mvn", java("17.0.15"));
    programs.add("docker", builder("echo 'Status: running'"));
    programs.add("pulumi", says(`v${versions.pulumi}`));
    programs.add("kubectl", says("Client Version: v1.34.4"));
  }

  it("are enough, and nothing else is", async () => {
    all();
    assert.deepEqual(await missingPrograms("debian"), []);
    assert.deepEqual([...new Set(programs.calls.map((call) => call.split(" ")[0]))].sort(), [
      "docker",
      "kubectl",
      "mvn",
      "pulumi",
    ]);
  });

  const curl = `curl -fsSL https://get.pulumi.com | sh -s -- --version ${versions.pulumi}`;
  const linux = "see https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/";
  const expected = {
    debian: [
      "JDK 17 or newer is missing: sudo apt-get install default-jdk",
      "Maven is missing: sudo apt-get install maven",
      "Docker is missing: see https://docs.docker.com/engine/install/debian/",
      `pulumi is missing: ${curl}`,
      `kubectl is missing: ${linux}`,
    ],
    ubuntu: [
      "JDK 17 or newer is missing: sudo apt-get install openjdk-17-jdk",
      "Maven is missing: sudo apt-get install maven",
      "Docker is missing: sudo apt-get install docker.io docker-buildx",
      `pulumi is missing: ${curl}`,
      "kubectl is missing: sudo snap install kubectl --classic",
    ],
    fedora: [
      "JDK 17 or newer is missing: sudo dnf install java-21-openjdk-devel",
      "Maven is missing: sudo dnf install maven",
      "Docker is missing: see https://docs.docker.com/engine/install/fedora/",
      `pulumi is missing: ${curl}`,
      `kubectl is missing: ${linux}`,
    ],
    macos: [
      "JDK 17 or newer is missing: brew install --cask temurin@17",
      "Maven is missing: brew install maven",
      "Docker is missing: brew install --cask docker-desktop",
      "pulumi is missing: brew install pulumi/tap/pulumi",
      "kubectl is missing: brew install kubectl",
    ],
  } as const;
  for (const system of ["debian", "ubuntu", "fedora", "macos"] as const) {
    it(`are all named with the way to install them on ${system}`, async () => {
      assert.deepEqual(await missingPrograms(system), expected[system]);
    });
  }

  it("are named with all four ways on another system", async () => {
    const lines = await missingPrograms(systemOf("linux", "ID=arch\n"));
    assert.equal(
      lines[1],
      "Maven is missing: Debian: sudo apt-get install maven; Ubuntu: sudo apt-get install maven; Fedora: sudo dnf install maven; macOS: brew install maven",
    );
  });

  const found = async (
    name: string,
    answers: Readonly<Record<string, string>>,
  ): Promise<string> => {
    all();
    programs.add(name, answers);
    const lines = await missingPrograms("ubuntu");
    assert.equal(lines.length, 1, lines.join("\n"));
    return lines[0] ?? "";
  };

  it("have a JDK that Maven uses, which is not too old and has a compiler", async () => {
    assert.equal(
      await found("mvn", {
        "*": "echo 'The JAVA_HOME environment variable is not defined' >&2; exit 1",
      }),
      "Maven finds no JDK (The JAVA_HOME environment variable is not defined): sudo apt-get install openjdk-17-jdk, or set JAVA_HOME to a JDK 17 or newer",
    );
    assert.equal(
      await found("mvn", java("11.0.2")),
      "Maven uses Java 11, but the service needs Java 17 or newer: sudo apt-get install openjdk-17-jdk, and set JAVA_HOME to the new JDK",
    );
    assert.equal(
      await found("mvn", java("17.0.15", "/no/jdk")),
      "/no/jdk is a Java runtime without a compiler: sudo apt-get install openjdk-17-jdk",
    );
  });

  it("have a Docker with buildx, whose builder answers", async () => {
    assert.equal(
      await found("docker", {
        "buildx*": "echo 'docker: unknown command: docker buildx' >&2; exit 1",
      }),
      "Docker has no plugin buildx: sudo apt-get install docker-buildx",
    );
    const start = 'sudo systemctl start docker, and add your user to the group "docker"';
    assert.equal(
      await found("docker", builder("echo 'Error:   Cannot connect to the Docker daemon'")),
      `the builder of "docker buildx" does not answer (Cannot connect to the Docker daemon): ${start}`,
    );
    assert.equal(
      await found("docker", builder("echo 'ERROR: no builder' >&2; exit 1")),
      `the builder of "docker buildx" does not answer (ERROR: no builder): ${start}`,
    );
  });

  it("have a pulumi that is not older than the project's npm package, of the same major version", async () => {
    for (const [version, isGood] of [
      ["v3.214.9", false],
      ["v4.0.0", false],
      ["v3.300.0", true],
    ] as const) {
      all();
      programs.add("pulumi", says(version));
      assert.deepEqual(
        await missingPrograms("macos"),
        isGood
          ? []
          : [
              `pulumi is ${version}, but the program needs ${versions.pulumi} or a newer 3.x: brew install pulumi/tap/pulumi`,
            ],
      );
    }
  });
});

describe("the system of a machine", () => {
  it("comes from os-release, also for a distribution that is like another one", () => {
    assert.equal(systemOf("darwin", ""), "macos");
    assert.equal(systemOf("linux", 'PRETTY_NAME="Debian"\nID=debian\n'), "debian");
    assert.equal(systemOf("linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'), "ubuntu");
    assert.equal(systemOf("linux", 'ID="fedora"\n'), "fedora");
    assert.equal(systemOf("linux", "ID=arch\n"), undefined);
    assert.equal(systemOf("linux", ""), undefined);
  });
});
