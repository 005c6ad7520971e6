/**
 * Secrets and harmless values in the forms that people write. We wrote this list before the code
 * that finds secrets, so the rules of that code did not influence the list. All secrets are
 * invented. The scanners secretlint and gitleaks search for half of these forms. This file joins
 * some tokens from two parts, so that no scanner reports this file.
 */

interface Planted {
  /** Name of the variable, or path of the file, that contains the text. */
  readonly name: string;
  /** The part of the text that no output may contain. */
  readonly secret: string;
  readonly text: string;
}

const alone = (name: string, secret: string): Planted => ({ name, secret, text: secret });
const within = (name: string, before: string, secret: string, after = ""): Planted => ({
  name,
  secret,
  text: `${before}${secret}${after}`,
});
const random = "q7Zr2Xw9Lk4Tn8Vb3Mc6";
const hex = "9f86d081884c7d659a2feaa0c55ad015";
const pem = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

export const planted: readonly Planted[] = [
  // Secrets that are recognizable by the name of the variable.
  alone("SMTP_PASS", "hunter2-hunter2"),
  alone("DB_PWD", "correct-horse"),
  alone("DATABASE_PASSWORD", "battery staple"),
  alone("KEYSTORE_PASSPHRASE", "open sesame 42"),
  alone("SENTRY_DSN", "https://0123456789abcdef@sentry.example.com/42"),
  alone("PARTNER_CREDENTIALS", "partner:swordfish"),
  alone("JWT_SIGNING_KEY", random),
  alone("PARTNER_API_KEY", random),
  alone("partnerApiKey", random),
  alone("COOKIE_ENCRYPTION_KEY", hex),
  alone("CLIENT_SECRET", random),
  alone("SESSION_SECRET_OLD", random),
  alone("PASSWORD_2", "second-password"),
  alone("REFRESH_TOKEN", random),
  alone("spring.datasource.password", "from-spring"),
  alone("BASIC_AUTH", "ada:lovelace-1815"),
  alone("STORAGE_ACCESS_KEY", random),
  alone("TLS_PRIVATE_KEY", random),
  alone("TOKEN_BASE64", "aHVudGVyMg=="),
  alone("CONNECTION_STRING", "Server=db;User=orders;Pwd=tiger99"),
  // Secrets that are recognizable by the form of the value.
  within("PARTNER_URL", "https://ada:", "s3cr3t-pa55", "@partner.example.com/v1"),
  within("QUEUE", "amqp://orders:", "rabbit-foot", "@mq.example.com:5672/orders"),
  within("CACHE", "redis://:", "sentinel-77", "@cache.example.com:6379/0"),
  within(
    "JDBC_URL",
    "jdbc:postgresql://db/orders?user=orders&password=",
    "tiger-tiger",
    "&ssl=true",
  ),
  within("REPORTS", "https://example.com/export?format=csv&access_token=", random),
  within(
    "WEBHOOK",
    "https://hooks.slack" + ".com/services/",
    "T00000000/B00000000/" + random + "wxyz",
  ),
  within("GIT", "", "ghp" + "_0123456789abcdefghijABCDEFGHIJ012345"),
  within(
    "GIT_2",
    "token ",
    "github" + "_pat_11ABCDEFG0abcdefghijkl_0123456789abcdefghij0123456789abcdefghij012345678",
  ),
  within("CLOUD", "", "AKIA" + "IOSFODNN7ABCDEFG"),
  within("CHAT", "", "xoxb" + "-123456789012-123456789012-" + random),
  within("MAPS", "", "AIza" + "SyA0123456789abcdefghijABCDEFGHIJ01"),
  within("SHOP", "", "sk_live" + "_0123456789abcdefghijABCD"),
  within(
    "PACKAGES",
    "//registry.example.com/:_authToken=",
    "npm" + "_0123456789abcdefghijABCDEFGHIJ012345",
  ),
  within("LAB", "", "glpat" + "-0123456789abcdefghij"),
  within("MAIL", "", "SG." + "0123456789abcdefghijAB.0123456789abcdefghijABCDEFGHIJ0123456789abc"),
  within("SESSION", "Bearer ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + random),
  // Secrets in the text of a file.
  within(
    "/etc/orders/partner.properties",
    "host=partner\npartner.password=",
    "in-properties",
    "\nport=80\n",
  ),
  within(
    "/etc/orders/partner.yaml",
    "partner:\n  clientSecret: ",
    "in-yaml-file",
    "\n  retries: 3\n",
  ),
  within(
    "/etc/orders/partner.json",
    '{"host":"partner","apiKey":"',
    "in-json-file",
    '","port":80}',
  ),
  within(
    "/etc/orders/key.pem",
    "-----BEGIN PRIVATE KEY-----\n",
    pem,
    "\n-----END PRIVATE KEY-----\n",
  ),
];

export const harmless: readonly { readonly name: string; readonly text: string }[] = [
  { name: "LOG_LEVEL", text: "debug-everything" },
  { name: "DATABASE_PASSWORD_FILE", text: "/etc/secrets/database/password" },
  { name: "TOKEN_TTL_SECONDS", text: "3600000" },
  { name: "PASSWORD_MIN_LENGTH", text: "12 characters" },
  { name: "TOKEN_URL", text: "https://login.example.com/oauth/token" },
  { name: "SECRET_NAME", text: "services-orders-database" },
  { name: "CREDENTIALS_PATH", text: "/var/run/credentials.json" },
  { name: "PWD", text: "/app/current" },
  { name: "COMPASS_HOST", text: "compass.example.com" },
  { name: "BYPASS_CACHE", text: "for-admins" },
  { name: "PASSENGER_COUNT", text: "123456" },
  { name: "AUTHOR", text: "Ada Lovelace" },
  { name: "AUTH_MODE", text: "required" },
  { name: "KEYBOARD", text: "de-latin1" },
  { name: "MONKEY", text: "capuchin" },
  { name: "PARTITION_KEY", text: "customerId" },
  { name: "PRIMARY_KEY", text: "order_id" },
  { name: "PUBLIC_KEY", text: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" },
  { name: "IDEMPOTENCY_KEY_HEADER", text: "Idempotency-Key" },
  { name: "SECRETARY", text: "ada.lovelace" },
  { name: "TOKENIZER", text: "whitespace" },
  { name: "JDBC_URL", text: "jdbc:postgresql://db.example.com:5432/orders?sslmode=require" },
  { name: "PARTNER_URL", text: "https://partner.example.com:8443/v1?format=csv" },
  { name: "PUBLIC_URL", text: "https://services-orders.example.com/" },
  {
    name: "IMAGE",
    text: "registry.example.com/services-orders@sha256:9f86d081884c7d659a2feaa0c55ad015",
  },
  { name: "REPOSITORY", text: "git@github.com:example/services-orders.git" },
  { name: "ARN", text: "arn:aws:iam::123456789012:role/services-orders" },
  { name: "COMMIT", text: "0123456789abcdef0123456789abcdef01234567" },
  { name: "UUID", text: "00000000-0000-4000-8000-000000000001" },
  { name: "JAVA_TOOL_OPTIONS", text: "-XX:MaxRAMPercentage=60 -Duser.timezone=UTC" },
  { name: "SCHEDULE", text: "30 3 * * *" },
  { name: "MAIL_FROM", text: "orders@example.com" },
  { name: "HEADERS", text: "Authorization, Content-Type" },
  { name: "SKETCH", text: "sk_test-drawing" },
  { name: "FEATURES", text: "token-refresh,password-reset" },
  {
    name: "BUILD_ERROR",
    text: 'failed to solve: failed to compute cache key: failed to calculate checksum of ref a: "/libs": not found',
  },
  { name: "LAST_ERROR", text: "cannot parse the refresh token: unexpected end of input" },
  {
    name: "/etc/orders/partner.properties",
    text: "host=partner\npassword.file=/etc/secrets/partner\n",
  },
  {
    name: "/etc/orders/partner.yaml",
    text: "partner:\n  passwordRef: partner-database\n  retries: 3\n",
  },
  { name: "/etc/orders/template.properties", text: "db.password=${DB_PASSWORD}\n" },
  { name: "/etc/orders/limits.json", text: '{"items":50,"tokens":{"lifetime":"PT1H"}}' },
  {
    name: "/etc/orders/ca.pem",
    text: "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE\n-----END CERTIFICATE-----\n",
  },
];
