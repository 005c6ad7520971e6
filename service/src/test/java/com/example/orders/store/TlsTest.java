package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.Secret;
import com.example.orders.config.Tls;
import com.example.orders.config.Tls.Mode;
import com.example.orders.support.Certificate;
import com.example.orders.support.TestServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
    private static final Secret PASSWORD = Secret.of("orders");

    @TempDir
    private Path directory;

    @Test
    void verifiedConnectionIsMadeToTheServerOfTheCertificateOnly() throws Exception {
        Certificate own = Certificate.make(Files.createDirectory(directory.resolve("own")));
        Certificate other = Certificate.make(Files.createDirectory(directory.resolve("other")));
        try (TestServer server = TestServer.start(directory, "orders", own.settings())) {
            assertTrue(isEncrypted(server, "localhost", new Tls(Mode.REQUIRE, Optional.empty())));
            assertTrue(isEncrypted(server, "localhost", verified(Mode.VERIFY_FULL, own)));
            assertTrue(isEncrypted(server, "127.0.0.1", verified(Mode.VERIFY_CA, own)));

            // The first line uses a wrong certificate authority. The second line uses a host name
            // that is not in the certificate.
            assertRefused(server, "localhost", verified(Mode.VERIFY_FULL, other));
            assertRefused(server, "127.0.0.1", verified(Mode.VERIFY_FULL, own));
        }
    }

    @Test
    void serverWithoutTlsIsRefused() throws Exception {
        Certificate own = Certificate.make(directory);
        try (TestServer server = TestServer.start(directory, "orders", Map.of())) {
            assertEquals(false, isEncrypted(server, "localhost", Tls.PREFERRED));
            assertRefused(server, "localhost", new Tls(Mode.REQUIRE, Optional.empty()));
            assertRefused(server, "localhost", verified(Mode.VERIFY_FULL, own));
        }
    }

    private static Tls verified(Mode mode, Certificate authority) {
        return new Tls(mode, Optional.of(authority.certificate().toString()));
    }

    private static void assertRefused(TestServer server, String host, Tls tls) {
        SQLException failure = assertThrows(SQLException.class, () -> isEncrypted(server, host, tls));
        // For this failure, the service answers a request for orders with status 503, because the
        // request itself is not wrong.
        assertTrue(Failures.isUnavailable(failure), failure.toString());
    }

    private static boolean isEncrypted(TestServer server, String host, Tls tls) throws SQLException {
        try (Connection connection = DataSources.unpooled(server.configuration(host, "orders", PASSWORD, tls))
                        .getConnection();
                ResultSet rows = connection
                        .createStatement()
                        .executeQuery("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }
}
