package com.example.orders.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/**
 * A stream that writes an object of Amazon S3. Before {@link #close}, the object does not exist, or
 * S3 still has the earlier object with this key. This class uploads a large object in parts, so
 * only one part is in memory. The AWS SDK repeats a request that fails with a status such as 503.
 */
final class S3Upload extends OutputStream {
    /**
     * Bytes in each part, except in the last part. S3 requires at least 5 MiB in each of these
     * parts, and allows at most 10,000 parts. So the maximum size of an object is 78 GiB.
     *
     * @see <a href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html">the limits</a>
     */
    static final int PART_SIZE = 8 << 20;

    private static final Logger log = LoggerFactory.getLogger(S3Upload.class);

    private final S3Client s3;
    private final String bucket;
    private final String key;
    private final byte[] part;
    private final List<CompletedPart> parts = new ArrayList<>();
    private int length;
    private String uploadId;
    private boolean complete;

    S3Upload(S3Client s3, String bucket, String key, int partSize) {
        this.s3 = s3;
        this.bucket = bucket;
        this.key = key;
        this.part = new byte[partSize];
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
        int from = offset;
        while (from < offset + count) {
            if (length == part.length) {
                uploadPart();
            }
            int copied = Math.min(part.length - length, offset + count - from);
            System.arraycopy(bytes, from, part, length, copied);
            length += copied;
            from += copied;
        }
    }

    /** Completes the object. */
    @Override
    public void close() throws IOException {
        if (complete) {
            return;
        }
        if (uploadId == null) {
            sent(() -> s3.putObject(request -> request.bucket(bucket).key(key), body()));
        } else {
            uploadPart();
            sent(() -> s3.completeMultipartUpload(request ->
                    request.bucket(bucket).key(key).uploadId(uploadId).multipartUpload(upload -> upload.parts(parts))));
        }
        complete = true;
    }

    /**
     * Removes the parts of an object that is not complete. If the removal fails, S3 stores the
     * parts until a lifecycle rule of the bucket removes the parts. The parts do not become an
     * object.
     */
    void abort() {
        if (complete || uploadId == null) {
            return;
        }
        try {
            s3.abortMultipartUpload(request -> request.bucket(bucket).key(key).uploadId(uploadId));
        } catch (SdkException e) {
            log.warn("cannot remove the parts of s3://{}/{}: {}", bucket, key, e.getMessage());
        }
    }

    private void uploadPart() throws IOException {
        if (uploadId == null) {
            uploadId = sent(() -> s3.createMultipartUpload(
                            request -> request.bucket(bucket).key(key)))
                    .uploadId();
        }
        int number = parts.size() + 1;
        UploadPartResponse answer = sent(() -> s3.uploadPart(
                request -> request.bucket(bucket).key(key).uploadId(uploadId).partNumber(number), body()));
        parts.add(CompletedPart.builder()
                .partNumber(number)
                .eTag(answer.eTag())
                .checksumCRC32(answer.checksumCRC32())
                .build());
        length = 0;
    }

    private RequestBody body() {
        return RequestBody.fromBytes(Arrays.copyOf(part, length));
    }

    private <Answer> Answer sent(Supplier<Answer> request) throws IOException {
        try {
            return request.get();
        } catch (SdkException e) {
            throw new IOException("cannot write s3://" + bucket + "/" + key + ": " + e.getMessage(), e);
        }
    }
}
