import "../support/temporary";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { command } from "../../../lib/command";
import { cutJre, jreModules } from "../../../sandbox/install/jre";
import { goarch } from "../../../sandbox/install/parts";

/** Returns the directory of the machine's JDK. This directory contains bin/javac. */
async function jdk(): Promise<string> {
  const { JAVA_HOME } = process.env;
  const javac = JAVA_HOME === undefined ? await command("which", ["javac"]) : undefined;
  return JAVA_HOME ?? dirname(dirname(realpathSync(javac ?? "")));
}

describe("the stand-in for the JRE", function () {
  this.timeout(180_000);
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "jre-"));
  });
  afterEach(() => {
    rmSync(root, { force: true, recursive: true });
  });

  it("has exactly the modules of OpenJDK's JRE, the debugger, and a fast start", async () => {
    const jvms = join(root, "usr", "lib", "jvm");
    mkdirSync(jvms, { recursive: true });
    mkdirSync(join(root, "usr", "bin"));
    symlinkSync(await jdk(), join(jvms, `java-17-openjdk-${goarch}`));
    await cutJre(root, goarch, () => undefined);
    const java = join(root, "usr", "bin", "java");
    const modules = (await command(java, ["--list-modules"])).replaceAll(/@.*/g, "").split("\n");
    assert.deepEqual(modules.sort(), [...jreModules].sort());
    // With `-Xshare:on`, the JVM ends with an error if the JVM cannot use the CDS archive.
    await command(java, ["-Xshare:on", "-version"]);
    const debug = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0";
    assert.match(await command(java, [debug, "-version"]), /Listening for transport dt_socket/);
  });

  it("has what diagnostics need, and no tool that only a JDK has", () => {
    for (const needed of ["jdk.httpserver", "jdk.jdwp.agent", "jdk.jfr", "jdk.management"]) {
      assert.ok(jreModules.includes(needed), needed);
    }
    for (const tool of ["jdk.attach", "jdk.compiler", "jdk.jcmd", "jdk.jdi", "jdk.jlink"]) {
      assert.ok(!jreModules.includes(tool), tool);
    }
  });
});
