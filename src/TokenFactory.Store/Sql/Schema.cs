namespace TokenFactory.Store.Sql;

/// <summary>
/// The tables, as steps from one version to the next. A step that was shipped never changes; what comes later is another step. Both
/// databases have the same tables: {whole}, {real}, {text} and {bytes} stand for their types.
/// </summary>
internal static class Schema
{
    /// <summary>Version that this program writes.</summary>
    public static int Version => Steps.Length;

    /// <summary>The table that holds the version, in one row.</summary>
    public const string VersionTable = "CREATE TABLE IF NOT EXISTS tokenfactory_schema (version {whole} NOT NULL){strict}";

    public const string ReadVersion = "SELECT version FROM tokenfactory_schema";

    private static readonly string[][] Steps =
    [
        [
            """
            CREATE TABLE tokenfactory_usage (
              id {text} NOT NULL UNIQUE, tenant {text} NOT NULL, key_id {text} NOT NULL, model {text} NOT NULL, pool {text} NOT NULL,
              replica {text} NOT NULL, class {text} NOT NULL, endpoint {text} NOT NULL,
              outcome {text} NOT NULL CHECK (outcome IN ('completed', 'cancelled', 'failed')), error {text} NOT NULL,
              arrival_ns {whole} NOT NULL, dispatched_ns {whole} NOT NULL, first_token_ns {whole}, ended_ns {whole} NOT NULL,
              attempts {whole} NOT NULL CHECK (attempts >= 1),
              fresh {whole} NOT NULL CHECK (fresh >= 0), cached {whole} NOT NULL CHECK (cached >= 0),
              output {whole} NOT NULL CHECK (output >= 0),
              reasoning {whole} NOT NULL CHECK (reasoning BETWEEN 0 AND output),
              tokens_from {text} NOT NULL CHECK (tokens_from IN ('engine', 'counted', 'estimated')),
              charged_nanousd {whole} NOT NULL CHECK (charged_nanousd >= 0),
              usage_cost_nanousd {whole} NOT NULL CHECK (usage_cost_nanousd >= 0),
              allocation_cost_nanousd {whole} NOT NULL CHECK (allocation_cost_nanousd >= 0),
              joules {real} NOT NULL CHECK (joules >= 0), joules_at {text} NOT NULL, joules_from {text} NOT NULL
            ){strict}
            """,
            "CREATE INDEX tokenfactory_usage_tenant ON tokenfactory_usage (tenant, ended_ns, charged_nanousd)",
            "CREATE INDEX tokenfactory_usage_ended ON tokenfactory_usage (ended_ns)",
            """
            CREATE TABLE tokenfactory_meters (
              replica {text} NOT NULL, pool {text} NOT NULL, model {text} NOT NULL, from_ns {whole} NOT NULL,
              to_ns {whole} NOT NULL CHECK (to_ns >= from_ns),
              busy_seconds {real} NOT NULL CHECK (busy_seconds >= 0),
              paid_nanousd {whole} NOT NULL CHECK (paid_nanousd >= 0), idle_nanousd {whole} NOT NULL CHECK (idle_nanousd >= 0),
              joules {real} NOT NULL CHECK (joules >= 0), idle_joules {real} NOT NULL CHECK (idle_joules >= 0),
              joules_at {text} NOT NULL, joules_from {text} NOT NULL,
              PRIMARY KEY (replica, from_ns)
            ){strict}
            """,
            "CREATE INDEX tokenfactory_meters_from ON tokenfactory_meters (from_ns)",
            """
            CREATE TABLE tokenfactory_tenants (
              name {text} NOT NULL PRIMARY KEY, models {text} NOT NULL, class {text}, classes {text} NOT NULL,
              requests_per_minute {whole}, tokens_per_minute {whole}, concurrency {whole},
              per_hour_nanousd {whole}, per_day_nanousd {whole}, per_month_nanousd {whole},
              max_output_tokens {whole}, shows_decisions {whole} NOT NULL, disabled {whole} NOT NULL
            ){strict}
            """,
            """
            CREATE TABLE tokenfactory_keys (
              id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, sha256 {bytes} NOT NULL CHECK (length(sha256) = 32),
              created_ns {whole} NOT NULL, label {text} NOT NULL, expires_ns {whole}, disabled {whole} NOT NULL
            ){strict}
            """,
            "CREATE INDEX tokenfactory_keys_tenant ON tokenfactory_keys (tenant)",
        ],
    ];

    /// <summary>Statements that lead from a version (0: no tables) to this program's, the new version's row included.</summary>
    /// <exception cref="StoreTooNewException">The tables are newer than this program.</exception>
    public static IEnumerable<string> From(long version, string what)
    {
        if (version > Version)
            throw new StoreTooNewException(
                $"The tables of {what} are of version {version}, and this program knows them up to {Version}. "
                + "Use the newer program, or another store.");
        var statements = Steps.Skip((int)version).SelectMany(step => step);
        return version == Version
            ? []
            : [.. statements, "DELETE FROM tokenfactory_schema", $"INSERT INTO tokenfactory_schema VALUES ({Version})"];
    }

    /// <summary>In SQLite's words: strict tables refuse what is not of their type.</summary>
    public static string Sqlite(string statement) => Spelled(statement, "INTEGER", "REAL", "TEXT", "BLOB", " STRICT");

    /// <summary>In PostgreSQL's words: text sorts by code, as it does in SQLite.</summary>
    public static string Postgres(string statement) => Spelled(statement, "bigint", "double precision", "text COLLATE \"C\"", "bytea", "");

    private static string Spelled(string statement, string whole, string real, string text, string bytes, string strict) => statement
        .Replace("{whole}", whole).Replace("{real}", real).Replace("{text}", text).Replace("{bytes}", bytes).Replace("{strict}", strict);
}
