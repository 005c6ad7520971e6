package com.example.orders.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The last release before the newest migration. Its code runs during the rollout of this migration,
 * and after a rollback.
 */
public final class PreviousRelease {
    private static final long LIMIT_SECONDS = 300;
    private static final Path MIGRATIONS = Path.of("src", "main", "resources", "db", "migration");
    // Maximum number of commits to try. Maven may not be able to build some commits, for example
    // because the code of a commit does not compile.
    private static final int COMMITS = 5;
    private static final Path BUILDS = Path.of("target", "previous-release").toAbsolutePath();

    private static final class CommandFailed extends IOException {
        private static final long serialVersionUID = 1;

        CommandFailed(String message) {
            super(message);
        }
    }

    private PreviousRelease() {}

    /** Whether this clone is shallow. A shallow clone does not contain the older commits. */
    public static boolean isUnknown() throws IOException, InterruptedException {
        return git("rev-parse", "--is-shallow-repository").strip().equals("true");
    }

    /**
     * Returns the last commits of the service before the commit that added the newest migration.
     * The newest of these commits is the first in the list. If the newest migration is not
     * committed yet, this method returns the last commits of the service.
     */
    public static List<String> commits() throws IOException, InterruptedException {
        String migration = newestMigration().toString();
        String added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", migration)
                .strip();
        String before = added.isEmpty() ? "HEAD" : added + "^";
        List<String> commits = git("log", "--format=%H", "-" + COMMITS, before, "--", ".")
                .lines()
                .toList();
        if (commits.isEmpty()) {
            throw new IOException("there is no commit before " + migration);
        }
        return commits;
    }

    private static String git(String... arguments) throws IOException, InterruptedException {
        return run(
                Path.of(""),
                Stream.concat(Stream.of("git"), Stream.of(arguments)).toArray(String[]::new));
    }

    private static Path newestMigration() throws IOException {
        try (Stream<Path> files = Files.list(MIGRATIONS)) {
            return files.filter(file -> file.toString().endsWith(".sql"))
                    .max(Comparator.comparingInt(PreviousRelease::version))
                    .orElseThrow();
        }
    }

    private static int version(Path migration) {
        return Integer.parseInt(migration.getFileName().toString().replaceAll("^V([0-9]+)__.*", "$1"));
    }

    /**
     * Returns the jar of the first of these commits that Maven can build. If an earlier run has
     * already built this jar, this method does not run Maven again.
     */
    public static Path jar(List<String> commits) throws IOException, InterruptedException {
        IOException failures = new IOException("none of these commits can be built: " + commits);
        for (String commit : commits) {
            try {
                return jar(commit);
            } catch (IOException e) {
                failures.addSuppressed(e);
            }
        }
        throw failures;
    }

    private static Path jar(String commit) throws IOException, InterruptedException {
        Path build = BUILDS.resolve(commit);
        // Maven renames the jar to this name as the last step of a build.
        Path jar = build.resolve(Path.of("service", "target", "image", "services-orders-previous.jar"));
        Path failure = build.resolve("failure");
        if (Files.exists(failure)) {
            throw new IOException(Files.readString(failure));
        }
        if (!Files.exists(jar)) {
            Files.createDirectories(build);
            Path archive = build.resolve("service.tar");
            run(Path.of(".."), "git", "archive", "--output=" + archive, commit, "service");
            run(build, "tar", "-xf", archive.toString());
            try {
                run(
                        build,
                        "mvn",
                        "--batch-mode",
                        "--quiet",
                        "--file",
                        "service/pom.xml",
                        "package",
                        "-Dmaven.test.skip=true",
                        "-Dcontent.hash=previous");
            } catch (CommandFailed e) {
                Files.writeString(failure, e.getMessage());
                throw e;
            }
        }
        return jar;
    }

    private static String run(Path directory, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("services-orders-test", "output");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toAbsolutePath().toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("it took too long: " + List.of(command));
            }
            if (process.exitValue() != 0) {
                throw new CommandFailed(List.of(command) + " failed: " + Files.readString(output));
            }
            return Files.readString(output);
        } finally {
            Files.delete(output);
        }
    }
}
