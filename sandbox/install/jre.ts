import { mkdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { type Report } from "../../lib/progress";
import { goarch } from "./parts";

/**
 * The modules of a JRE of OpenJDK 17, such as Eclipse Temurin: the modules of the boot loader and
 * of the platform loader, and the agent of the debugger. The modules with tools, such as
 * `jdk.jcmd`, `jdk.attach`, `jdk.jdi` and `jdk.compiler`, are only in a JDK.
 *
 * @see https://github.com/openjdk/jdk17u/blob/master/make/Images.gmk (`JRE_MODULES`)
 * @see https://github.com/openjdk/jdk17u/blob/master/make/conf/module-loader-map.conf
 */
export const jreModules: readonly string[] = [
  ...["java.base", "java.datatransfer", "java.desktop", "java.instrument", "java.logging"],
  ...["java.management", "java.management.rmi", "java.naming", "java.prefs", "java.rmi"],
  ...["java.security.sasl", "java.xml", "jdk.incubator.foreign", "jdk.incubator.vector"],
  ...["jdk.internal.vm.ci", "jdk.jfr", "jdk.management", "jdk.management.jfr"],
  ...["jdk.management.agent", "jdk.net", "jdk.nio.mapmode", "jdk.sctp", "jdk.unsupported"],
  "jdk.naming.rmi",
  ...["java.compiler", "java.net.http", "java.scripting", "java.se", "java.security.jgss"],
  ...["java.smartcardio", "java.sql", "java.sql.rowset", "java.transaction.xa"],
  ...["java.xml.crypto", "jdk.accessibility", "jdk.charsets", "jdk.crypto.cryptoki"],
  ...["jdk.crypto.ec", "jdk.dynalink", "jdk.httpserver", "jdk.jsobject", "jdk.localedata"],
  ...["jdk.naming.dns", "jdk.security.auth", "jdk.security.jgss", "jdk.xml.dom", "jdk.zipfs"],
  "jdk.jdwp.agent",
];

/**
 * Debian's packages for {@link cutJre}. The sandbox does not use Debian's JRE, because Debian's JRE
 * has the modules of a JDK: a program could work in the sandbox and fail in production. Debian's
 * JDK package contains the modules as files from which `jlink` builds a JRE.
 */
export const jrePackages = ["openjdk-17-jdk-headless", "libc6", "tzdata"] as const;

/**
 * Replaces Debian's JDK in a root file system with a JRE that contains {@link jreModules}. This
 * function needs the program `jlink` of a JDK 17. The machine needs this JDK to compile the
 * service, too.
 */
export async function cutJre(
  root: string,
  architecture: typeof goarch,
  report: Report,
): Promise<void> {
  const all = join(root, "usr", "lib", "jvm");
  const jdk = join(all, `java-17-openjdk-${architecture}`);
  const jre = join(root, "opt", "java");
  mkdirSync(join(root, "opt"));
  report(`linking the JRE for ${architecture}`);
  const { JAVA_HOME } = process.env;
  const jlink = JAVA_HOME === undefined ? "jlink" : join(JAVA_HOME, "bin", "jlink");
  await command(jlink, [
    ...["--module-path", join(jdk, "jmods"), "--add-modules", jreModules.join(",")],
    // With the first option, stack traces contain no line numbers of JDK classes, as in OpenJDK's
    // JRE.
    ...["--strip-java-debug-attributes", "--no-header-files", "--no-man-pages"],
    ...["--output", jre],
  ]);
  rmSync(all, { force: true, recursive: true });
  rmSync(join(root, "etc", "java-17-openjdk"), { force: true, recursive: true });
  symlinkSync("../../opt/java/bin/java", join(root, "usr", "bin", "java"));
  // With an archive of the JDK's classes, the JVM starts faster. The JVM can write the archive only
  // on a machine with the JVM's architecture. The archive contains the modification time of the
  // file `modules`. This code sets the modification time to 0, because the file has this time in
  // the image.
  utimesSync(join(jre, "lib", "modules"), 0, 0);
  if (architecture === goarch) await command(join(jre, "bin", "java"), ["-Xshare:dump"]);
}
