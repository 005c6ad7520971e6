package com.example.orders;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * In CI, jobs of the branch main also build the code of other branches, for canaries. So the
 * compiler must not run this code. javac loads annotation processors and plugins from the class
 * path, and a branch can commit both as classes in src/main/resources.
 */
class CompilerArgumentsTest {
    @TempDir
    Path directory;

    /** The class path of the build, which contains the classes that the branch has committed. */
    private Path classes;

    /** The file that the branch's code would write if the compiler ran this code. */
    private Path trace;

    @BeforeEach
    void commitHostileClasses() throws IOException {
        classes = Files.createDirectories(directory.resolve("classes"));
        trace = directory.resolve("trace");
        commit("Processor", "javax.annotation.processing.Processor", """
                import java.util.Set;
                import javax.annotation.processing.AbstractProcessor;
                import javax.annotation.processing.RoundEnvironment;
                import javax.annotation.processing.SupportedAnnotationTypes;
                import javax.lang.model.element.TypeElement;

                @SupportedAnnotationTypes("*")
                public class Processor extends AbstractProcessor {
                    public boolean process(Set<? extends TypeElement> types, RoundEnvironment round) {
                        Trace.leave("processor");
                        return false;
                    }
                }
                """);
        commit("Plugin", "com.sun.source.util.Plugin", """
                public class Plugin implements com.sun.source.util.Plugin {
                    public String getName() { return "plugin"; }
                    public boolean autoStart() { return true; }
                    public void init(com.sun.source.util.JavacTask task, String... args) {
                        Trace.leave("plugin");
                    }
                }
                """);
    }

    @Test
    void thePlainCompilerRunsTheCodeOfABranch() throws IOException {
        compile(List.of());
        assertEquals(
                List.of("plugin", "processor"),
                Files.readAllLines(trace).stream().distinct().sorted().toList());
    }

    @Test
    void theCompilerOfTheBuildDoesNot() throws Exception {
        List<String> arguments = argumentsInPom();
        assertTrue(arguments.contains("-proc:none"), arguments.toString());
        compile(arguments);
        assertFalse(Files.exists(trace));
    }

    private void compile(List<String> arguments) throws IOException {
        Path source = Files.writeString(directory.resolve("Orders.java"), "class Orders {}");
        List<String> all = Stream.concat(
                        arguments.stream(),
                        Stream.of("-cp", classes.toString(), "-d", directory.toString(), source.toString()))
                .toList();
        javac(all);
    }

    /**
     * Adds a compiled service provider to the class path, as if a branch had committed it in
     * src/main/resources.
     */
    private void commit(String name, String service, String code) throws IOException {
        String leave = """
                class Trace {
                    static void leave(String text) {
                        try {
                            java.nio.file.Files.writeString(
                                java.nio.file.Path.of("%s"),
                                text + "\\n",
                                java.nio.file.StandardOpenOption.APPEND,
                                java.nio.file.StandardOpenOption.CREATE);
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    }
                }
                """.formatted(trace);
        Path sources = Files.createDirectories(directory.resolve("sources"));
        Path file = Files.writeString(sources.resolve(name + ".java"), code);
        Path traceFile = Files.writeString(sources.resolve("Trace.java"), leave);
        javac(List.of("-proc:none", "-d", classes.toString(), file.toString(), traceFile.toString()));
        Path services = Files.createDirectories(classes.resolve("META-INF/services"));
        Files.writeString(services.resolve(service), name + "\n");
    }

    private static void javac(List<String> arguments) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        int exitCode = ToolProvider.getSystemJavaCompiler().run(null, said, said, arguments.toArray(String[]::new));
        assertEquals(0, exitCode, said.toString());
    }

    private static List<String> argumentsInPom() throws Exception {
        Path pom = Path.of("pom.xml").toAbsolutePath();
        NodeList found = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(pom.toFile())
                .getElementsByTagName("compilerArgs");
        assertEquals(1, found.getLength());
        NodeList arguments = ((Element) found.item(0)).getElementsByTagName("arg");
        return Stream.iterate(0, index -> index < arguments.getLength(), index -> index + 1)
                .map(index -> arguments.item(index).getTextContent())
                // javac warns that the directory of --processor-path does not exist. With -Werror,
                // the compilation would fail because of this warning.
                .filter(text -> !text.equals("-Werror"))
                .map(text -> text.replace("${project.basedir}", pom.getParent().toString()))
                .toList();
    }
}
