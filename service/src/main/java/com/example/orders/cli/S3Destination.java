package com.example.orders.cli;

import com.example.orders.store.Period;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Writes each export to one object in Amazon S3. The AWS SDK finds the credentials and the region
 * itself, for example in the role of the pod's ServiceAccount and in {@code AWS_REGION}. Only this
 * class and {@link S3Upload} use the SDK, so the other commands do not load the SDK.
 *
 * @see <a href="https://docs.aws.amazon.com/sdk-for-java/latest/developer-guide/credentials-chain.html">
 *     the credentials</a>
 */
final class S3Destination implements ExportDestination {
    private static final Logger log = LoggerFactory.getLogger(S3Destination.class);

    private final S3Client s3;
    private final S3Uri uri;
    private final Function<Period, String> name;
    private S3Upload upload;

    /**
     * @param name function that returns the key of the object, without the prefix of {@code uri}
     */
    static S3Destination of(S3Uri uri, Function<Period, String> name) throws IOException {
        try {
            S3Client s3 = S3Client.builder()
                    .httpClient(UrlConnectionHttpClient.create())
                    .build();
            return new S3Destination(s3, uri, name);
        } catch (SdkException e) {
            throw new IOException("cannot use S3: " + e.getMessage(), e);
        }
    }

    S3Destination(S3Client s3, S3Uri uri, Function<Period, String> name) {
        this.s3 = s3;
        this.uri = uri;
        this.name = name;
    }

    @Override
    public OutputStream open(Period period) {
        String key = uri.prefix() + name.apply(period);
        // Writes this line to the log before the upload. If someone kills the process, the line
        // shows which object the process may have written.
        log.atInfo()
                .addKeyValue("bucket", uri.bucket())
                .addKeyValue("key", key)
                .log("writing to s3://{}/{}", uri.bucket(), key);
        upload = new S3Upload(s3, uri.bucket(), key, S3Upload.PART_SIZE);
        return upload;
    }

    @Override
    public void close() {
        try {
            if (upload != null) {
                upload.abort();
            }
        } finally {
            s3.close();
        }
    }
}
