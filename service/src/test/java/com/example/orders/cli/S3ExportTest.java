package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.store.DataSources;
import com.example.orders.store.OrderExports;
import com.example.orders.support.S3Server;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import com.example.orders.support.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

class S3ExportTest {
    private static final int PART = 5 << 20;

    @TempDir
    private Path directory;

    private TestDatabase database;
    private S3Server s3;

    @BeforeEach
    void start() throws Exception {
        database = TestDatabase.migrated();
        s3 = new S3Server();
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void nightsHaveEachOrderInOneObjectDespiteARefusedUpload() throws Exception {
        database.insertOrder("first", "20 hours");
        Result refused = export("s3://another-bucket/exports");
        assertEquals(1, refused.exitCode(), refused.err());
        assertTrue(refused.err().contains("cannot write s3://another-bucket/exports/nightly/"), refused.err());
        assertTrue(refused.err().contains("NoSuchBucket"), refused.err());

        database.insertOrder("second", "10 hours");
        s3.slowDown(1);
        Result first = export("s3://" + S3Server.BUCKET + "/exports");
        assertEquals(0, first.exitCode(), first.err());
        assertEquals("", first.out());
        Map<String, String> objects = s3.objects();
        assertEquals(1, objects.size());
        String key = objects.keySet().iterator().next();
        assertTrue(key.matches("exports/nightly/\\d{8}T\\d{6}\\.\\d{6}Z\\.json"), key);
        assertEquals(2, objects.get(key).lines().count());
    }

    @Test
    void repeatedExportReplacesTheObjectOfTheRunThatDidNotCount() throws Exception {
        database.insertOrder("first", "20 hours");
        database.endConnectionsAtCommitOf("AFTER UPDATE ON export_progress");
        assertThrows(Exception.class, this::exportHere);
        assertEquals(List.of(1L), lines());
        database.keepConnections("export_progress");
        database.insertOrder("second", "10 hours");
        exportHere();
        assertEquals(List.of(2L), lines());
        database.execute("UPDATE export_progress SET exported_until = exported_until - interval '1 hour'");
        database.insertOrder("third", "30 minutes");
        exportHere();
        assertEquals(List.of(2L, 1L), lines());
    }

    @Test
    void lostConnectionCompletesNoObject() throws Exception {
        database.insertOrder("first", "20 hours");
        database.endConnectionsAt("AFTER UPDATE ON export_progress");
        assertThrows(Exception.class, this::exportHere);
        assertEquals(Map.of(), s3.objects());
    }

    @Test
    void largeObjectComesInPartsAndIsCompleteOrNotThere() throws Exception {
        byte[] content = new byte[2 * PART + 1];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) ('a' + i % 26);
        }
        S3Client client = client();
        S3Upload upload = new S3Upload(client, S3Server.BUCKET, "large", PART);
        upload.write(content, 0, 100);
        upload.write(content, 100, content.length - 100);
        assertEquals(Map.of(), s3.objects());
        s3.slowDown(1);
        upload.close();
        assertArrayEquals(content, s3.objects().get("large").getBytes(StandardCharsets.UTF_8));

        S3Upload failed = new S3Upload(client, S3Server.BUCKET, "failed", PART);
        failed.write(content, 0, PART + 1);
        assertEquals(1, s3.openUploads());
        failed.abort();
        assertEquals(0, s3.openUploads());
        assertThrows(IOException.class, failed::close);
        assertFalse(s3.objects().containsKey("failed"));
    }

    @Test
    void outputIsRefusedUnlessItIsABucket() throws Exception {
        for (String output : List.of("exports", "s3://", "s3://B/x", "s3://bucket//x", "s3://bucket/a b")) {
            assertThrows(RuntimeException.class, () -> S3Uri.parse(output), output);
        }
        assertEquals(new S3Uri("bucket", ""), S3Uri.parse("s3://bucket"));
        assertEquals(new S3Uri("bucket", "a/b/"), S3Uri.parse("s3://bucket/a/b/"));
    }

    @Test
    void otherCommandsDoNotLoadTheSdk() throws Exception {
        Path classes = directory.resolve("classes");
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + classes);
        Result result = ServiceProcess.run(environment, "export", "--since", "1h", "--format", "csv");
        assertEquals(0, result.exitCode(), result.err());
        String loaded = Files.readString(classes);
        assertTrue(loaded.contains("com.example.orders.cli.ExportCommand"));
        assertFalse(loaded.contains("software.amazon"));
    }

    private List<Long> lines() {
        return s3.objects().values().stream()
                .map(object -> object.lines().count())
                .toList();
    }

    /** Runs the export with the role of a ServiceAccount, in a separate process. */
    private Result export(String output) throws Exception {
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.putAll(s3.roleOfServiceAccount(directory));
        List<String> arguments =
                new ArrayList<>(List.of("export", "--continue", "nightly", "--format", "json", "--output", output));
        return ServiceProcess.run(environment, arguments.toArray(String[]::new));
    }

    /** Runs the export in the process of the test. */
    private void exportHere() throws Exception {
        ExportRange range = new ExportRange();
        range.name = "nightly";
        try (S3Client client = client();
                ExportDestination destination =
                        new S3Destination(client, S3Uri.parse("s3://" + S3Server.BUCKET), range::fileName)) {
            new OrderExports(DataSources.unpooled(database.configuration()))
                    .exportNext(range.name, new JsonExport(destination, false));
        }
    }

    private S3Client client() {
        return S3Client.builder()
                .httpClient(UrlConnectionHttpClient.create())
                .endpointOverride(URI.create(s3.url()))
                .region(Region.EU_CENTRAL_1)
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsSessionCredentials.create("AKIASTANDIN", "stand-in-secret", "stand-in-session")))
                .build();
    }
}
