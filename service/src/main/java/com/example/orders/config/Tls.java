package com.example.orders.config;

import java.util.Locale;
import java.util.Optional;

/**
 * Encryption of the connection to the database, in the words of PostgreSQL.
 *
 * @param rootCertificate path of a PEM file with the authorities that are trusted; it is read for each
 *     new connection
 */
public record Tls(Mode mode, Optional<String> rootCertificate) {
    /** @see <a href="https://www.postgresql.org/docs/current/libpq-ssl.html">sslmode</a> */
    public enum Mode {
        DISABLE,
        PREFER,
        REQUIRE,
        VERIFY_CA,
        VERIFY_FULL;

        static final String[] WORDS = {"disable", "prefer", "require", "verify-ca", "verify-full"};

        static Mode of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
        }

        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        boolean verifies() {
            return this == VERIFY_CA || this == VERIFY_FULL;
        }
    }

    /** What a laptop needs: TLS if the server has it, and no check of who answers. */
    public static final Tls PREFERRED = new Tls(Mode.PREFER, Optional.empty());
}
