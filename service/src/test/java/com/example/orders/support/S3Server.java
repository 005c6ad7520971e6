package com.example.orders.support;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Stands in for Amazon S3 with one bucket, and for the action AssumeRoleWithWebIdentity of AWS STS.
 * This server checks the signature of each request to S3, and the hash of the body if the request
 * contains a hash, as described in
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 *
 * <p>This server does not check the signatures of individual chunks, the time of a request, other
 * checksums, or IAM policies. This server supports only what an upload needs.
 */
public final class S3Server implements AutoCloseable {
    public static final String BUCKET = "orders-exports";

    // "Part size: 5 MiB to 5 GiB. There is no minimum size limit on the last part of your multipart
    // upload." https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
    private static final int SMALLEST_PART = 5 << 20;
    private static final String KEY_ID = "AKIASTANDIN";
    private static final String SECRET = "stand-in-secret";
    private static final String SESSION = "stand-in-session";
    private static final String ROLE = "arn:aws:iam::123456789012:role/orders-export";
    private static final String WEB_TOKEN = "token-of-the-service-account";
    private static final Pattern AUTHORIZATION =
            Pattern.compile("AWS4-HMAC-SHA256 Credential=(\\S+), SignedHeaders=(\\S+), Signature=(\\S+)");

    // Values that the header x-amz-content-sha256 may have instead of the hash of the body, from
    // the table of headers:
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
    private static final Pattern PAYLOADS = Pattern.compile("UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+");

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> objects = new TreeMap<>();
    private final Map<String, TreeMap<Integer, byte[]>> uploads = new HashMap<>();
    private int slowDowns;

    public S3Server() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** Returns the environment variables of a pod whose ServiceAccount has an IAM role (IRSA). */
    public Map<String, String> roleOfServiceAccount(Path directory) throws IOException {
        Path token = Files.writeString(directory.resolve("token"), WEB_TOKEN);
        return Map.of(
                "AWS_ENDPOINT_URL_S3", url(),
                "AWS_ENDPOINT_URL_STS", url(),
                "AWS_REGION", "eu-central-1",
                "AWS_ROLE_ARN", ROLE,
                "AWS_WEB_IDENTITY_TOKEN_FILE", token.toString());
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Makes the server answer the next requests with status 503 and the code SlowDown. */
    public synchronized void slowDown(int requests) {
        slowDowns = requests;
    }

    /** Returns the contents of the objects by key. */
    public synchronized Map<String, String> objects() {
        return objects.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        entry -> new String(entry.getValue(), StandardCharsets.UTF_8),
                        (one, other) -> one,
                        TreeMap::new));
    }

    /**
     * Returns the number of multipart uploads that are in progress. A client has not completed or
     * aborted these uploads.
     */
    public synchronized int openUploads() {
        return uploads.size();
    }

    private synchronized void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
            String[] path = exchange.getRequestURI().getPath().substring(1).split("/", 2);
            if (exchange.getRequestMethod().equals("POST") && path[0].isEmpty()) {
                assumeRole(exchange, new String(body, StandardCharsets.UTF_8));
            } else if (!signed(exchange, query, body)) {
                error(exchange, 403, "SignatureDoesNotMatch");
            } else if (slowDowns > 0) {
                slowDowns--;
                error(exchange, 503, "SlowDown");
            } else if (!path[0].equals(BUCKET)) {
                error(exchange, 404, "NoSuchBucket");
            } else {
                store(exchange, path[1], query, content(exchange.getRequestHeaders(), body));
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void store(HttpExchange exchange, String key, Map<String, String> query, byte[] content)
            throws IOException, GeneralSecurityException {
        String method = exchange.getRequestMethod();
        String id = query.get("uploadId");
        TreeMap<Integer, byte[]> parts = uploads.get(key + "?" + id);
        if (method.equals("POST") && query.containsKey("uploads")) {
            String upload = UUID.randomUUID().toString();
            uploads.put(key + "?" + upload, new TreeMap<>());
            answer(
                    exchange,
                    200,
                    "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>"
                            .formatted(upload));
        } else if (id != null && parts == null) {
            error(exchange, 404, "NoSuchUpload");
        } else if (method.equals("PUT")) {
            if (id == null) {
                objects.put(key, content);
            } else {
                parts.put(Integer.valueOf(query.get("partNumber")), content);
            }
            exchange.getResponseHeaders().set("ETag", tag(content));
            answer(exchange, 200, "");
        } else if (method.equals("POST") && id != null) {
            complete(exchange, key, id, parts, new String(content, StandardCharsets.UTF_8));
        } else if (method.equals("DELETE") && id != null) {
            uploads.remove(key + "?" + id);
            exchange.sendResponseHeaders(204, -1);
        } else {
            error(exchange, 405, "MethodNotAllowed");
        }
    }

    private void complete(HttpExchange exchange, String key, String id, TreeMap<Integer, byte[]> parts, String list)
            throws IOException, GeneralSecurityException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        Matcher part = Pattern.compile("<Part>.*?<ETag>(.*?)</ETag>.*?<PartNumber>(\\d+)</PartNumber>.*?</Part>")
                .matcher(list);
        int last = 0;
        while (part.find()) {
            int number = Integer.parseInt(part.group(2));
            byte[] content = parts.get(number);
            if (number <= last) {
                error(exchange, 400, "InvalidPartOrder");
                return;
            }
            if (content == null || !tag(content).equals(part.group(1).replace("&quot;", "\""))) {
                error(exchange, 400, "InvalidPart");
                return;
            }
            if (content.length < SMALLEST_PART && number != parts.lastKey()) {
                error(exchange, 400, "EntityTooSmall");
                return;
            }
            whole.write(content);
            last = number;
        }
        if (last == 0) {
            error(exchange, 400, "MalformedXML");
            return;
        }
        objects.put(key, whole.toByteArray());
        uploads.remove(key + "?" + id);
        answer(exchange, 200, "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>");
    }

    private static void assumeRole(HttpExchange exchange, String form) throws IOException {
        Map<String, String> fields = query(form);
        if (!"AssumeRoleWithWebIdentity".equals(fields.get("Action"))
                || !ROLE.equals(fields.get("RoleArn"))
                || !WEB_TOKEN.equals(fields.get("WebIdentityToken"))) {
            answer(
                    exchange,
                    403,
                    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error>"
                            + "</ErrorResponse>");
            return;
        }
        answer(exchange, 200, """
                <AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
                <AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>
                <SessionToken>%s</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
                </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
                """.formatted(KEY_ID, SECRET, SESSION));
    }

    private static boolean signed(HttpExchange exchange, Map<String, String> query, byte[] body)
            throws GeneralSecurityException {
        Headers headers = exchange.getRequestHeaders();
        Matcher given = AUTHORIZATION.matcher(String.valueOf(headers.getFirst("Authorization")));
        String hash = String.valueOf(headers.getFirst("x-amz-content-sha256"));
        if (!given.matches()
                || !SESSION.equals(headers.getFirst("x-amz-security-token"))
                || !PAYLOADS.matcher(hash).matches() && !hash.equals(sha256(body))) {
            return false;
        }
        String[] credential = given.group(1).split("/");
        String names = given.group(2);
        String canonical = String.join(
                "\n",
                exchange.getRequestMethod(),
                exchange.getRequestURI().getRawPath(),
                canonical(exchange.getRequestURI().getRawQuery()),
                Arrays.stream(names.split(";"))
                        .map(name ->
                                name + ":" + String.join(",", headers.get(name)).trim() + "\n")
                        .collect(Collectors.joining()),
                names,
                hash);
        String scope = String.join("/", Arrays.copyOfRange(credential, 1, credential.length));
        byte[] key = ("AWS4" + SECRET).getBytes(StandardCharsets.UTF_8);
        for (String word : scope.split("/")) {
            key = hmac(key, word);
        }
        String text = String.join(
                "\n",
                "AWS4-HMAC-SHA256",
                headers.getFirst("x-amz-date"),
                scope,
                sha256(canonical.getBytes(StandardCharsets.UTF_8)));
        return credential[0].equals(KEY_ID)
                && HexFormat.of().formatHex(hmac(key, text)).equals(given.group(3));
    }

    private static String canonical(String rawQuery) {
        return rawQuery == null
                ? ""
                : Arrays.stream(rawQuery.split("&"))
                        .map(pair -> pair.contains("=") ? pair : pair + "=")
                        .sorted()
                        .collect(Collectors.joining("&"));
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> query = new HashMap<>();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            String[] words = pair.split("=", 2);
            query.put(words[0], words.length == 1 ? "" : URLDecoder.decode(words[1], StandardCharsets.UTF_8));
        }
        return query;
    }

    /**
     * Returns the body without the frames of the encoding aws-chunked:
     * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
     */
    private static byte[] content(Headers headers, byte[] body) {
        String length = headers.getFirst("x-amz-decoded-content-length");
        if (length == null) {
            return body;
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        int at = 0;
        while (true) {
            int end = at;
            while (body[end] != '\r') {
                end++;
            }
            String line = new String(body, at, end - at, StandardCharsets.US_ASCII);
            int size = Integer.parseInt(line.split(";")[0], 16);
            if (size == 0) {
                break;
            }
            content.write(body, end + 2, size);
            at = end + 2 + size + 2;
        }
        if (content.size() != Integer.parseInt(length)) {
            throw new UncheckedIOException(new IOException("IncompleteBody"));
        }
        return content.toByteArray();
    }

    private static void error(HttpExchange exchange, int status, String code) throws IOException {
        answer(exchange, status, "<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, code));
    }

    private static void answer(HttpExchange exchange, int status, String xml) throws IOException {
        byte[] bytes = xml.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static String tag(byte[] content) throws GeneralSecurityException {
        return "\"" + HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(content)) + "\"";
    }

    private static String sha256(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
    }
}
