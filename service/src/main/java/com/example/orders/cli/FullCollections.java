package com.example.orders.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports what the heap contained when an earlier process had too little memory. When the JVM
 * collects the garbage of the whole heap, it writes the number and the size of the objects of each
 * class to a file. The JVM also writes this file before it throws an OutOfMemoryError. The file is
 * in a volume of the pod, so the file still exists when the container starts again. The file
 * contains no values of these objects, so it contains no data of customers.
 */
final class FullCollections {
    private static final Logger log = LoggerFactory.getLogger(FullCollections.class);
    // The option -Xlog in the Dockerfile sets the file's name. If this file exists when the JVM
    // starts, the JVM adds a number to the name of the existing file.
    private static final String EARLIER_FILES = "full-collections.log.[0-9]*";
    private static final Pattern ROW = Pattern.compile("\\s(\\d+):\\s+(\\d+)\\s+(\\d+)\\s+(\\S+)");
    private static final int ROWS = 15;

    private FullCollections() {}

    /**
     * Logs which classes used the most memory in an earlier process, and deletes the files of all
     * earlier processes.
     */
    static void logEarlier(Path directory) {
        try {
            List<Path> files = files(directory);
            List<String> rows = lastRows(files);
            for (Path file : files) {
                Files.delete(file);
            }
            if (!rows.isEmpty()) {
                log.warn(
                        "an earlier process of this pod collected its whole heap; then its largest classes were: {}",
                        String.join(", ", rows));
            }
        } catch (IOException e) {
            log.warn("could not read what an earlier process has left in {}", directory, e);
        }
    }

    /** Returns the files of earlier processes, the oldest first. */
    private static List<Path> files(Path directory) throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, EARLIER_FILES)) {
            all.forEach(files::add);
        }
        files.sort(Comparator.comparingLong(file -> file.toFile().lastModified()));
        return files;
    }

    /** Returns the first rows of the last table in the files. The JVM sorts a table by size. */
    private static List<String> lastRows(List<Path> files) throws IOException {
        List<String> rows = new ArrayList<>();
        for (Path file : files) {
            try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Matcher row = ROW.matcher(line);
                    if (!row.find() || Integer.parseInt(row.group(1)) > ROWS) {
                        continue;
                    }
                    if (row.group(1).equals("1")) {
                        rows.clear();
                    }
                    rows.add("%s: %s bytes, %s objects".formatted(row.group(4), row.group(3), row.group(2)));
                }
            }
        }
        return rows;
    }
}
