package com.example.orders.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/**
 * A bucket of Amazon S3, and a prefix of the keys in this bucket. The prefix is empty or ends with
 * a slash.
 */
record S3Uri(String bucket, String prefix) {
    // This pattern checks the most important rules for the names of buckets, but not all rules:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    // The prefix may contain only the safe characters for keys:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    private static final Pattern FORM =
            Pattern.compile("s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9!_.*'()-]+)*)/?");

    static S3Uri parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is not of the form s3://bucket/prefix");
        }
        String path = matcher.group(2);
        return new S3Uri(matcher.group(1), path.isEmpty() ? "" : path.substring(1) + "/");
    }
}
