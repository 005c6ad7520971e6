package com.example.orders.config;

import java.util.Locale;
import java.util.Optional;

/**
 * TLS settings of the connections to the database, with the names that PostgreSQL uses.
 *
 * @param rootCertificate path of a PEM file with the trusted certificate authorities. The
 *     driver reads the file for each new connection.
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

    /**
     * The default, for example on a laptop: the connection uses TLS if the server supports TLS, and
     * the driver does not verify the server's certificate.
     */
    public static final Tls PREFERRED = new Tls(Mode.PREFER, Optional.empty());
}
