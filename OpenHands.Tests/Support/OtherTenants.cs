namespace OpenHands.Tests.Support;

/// <summary>Fills the tables of a database with rows of tenants that are made up, and tells what PostgreSQL has read of them.</summary>
internal static class OtherTenants
{
    private const string Tables =
        """
        SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND (a.attname IN ('user_id', 'organization_id') OR c.relname IN ('users', 'organizations'))
        """;

    /// <summary>Adds rows like the first one of each table.</summary>
    /// <param name="database">Where.</param>
    /// <param name="count">How many of each.</param>
    /// <param name="isWanted">Which tables; all of tenants by default.</param>
    /// <returns>The tables that had a row.</returns>
    public static async Task<IReadOnlyList<string>> AddAsync(TestDatabase database, int count, Func<string, bool>? isWanted = null)
    {
        var filled = new List<string>();
        foreach (var table in (await database.QueryAsync(Tables)).Where(isWanted ?? (_ => true)))
        {
            // Triggers and foreign keys would only take time.
            await database.QueryAsync($"SET session_replication_role = replica; {Multiply(table, count)}; ANALYZE {table}");
            if ((await database.QueryAsync($"SELECT count(*) FROM {table}"))[0] != "0")
                filled.Add(table);
        }

        return filled;
    }

    /// <summary>How many rows have been read so far: one after the other, and by an index. Waits for pools to close their sessions: each says what it has read when it ends.</summary>
    public static async Task<IReadOnlyDictionary<string, (long InOrder, long ByIndex)>> ReadsAsync(TestDatabase database)
    {
        await Eventually.TrueAsync("all sessions have ended", async () => (await database.QueryAsync(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")).Count == 0);
        return (await database.QueryAsync("SELECT relname, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"))
            .Select(line => line.Split('|')).ToDictionary(cells => cells[0], cells => (long.Parse(cells[1], null), long.Parse(cells[2], null)));
    }

    // One row again and again for other tenants: ids that belong together still do, and what must be unique is.
    private static string Multiply(string table, int count) =>
        $$"""
        WITH uniques AS MATERIALIZED (
            SELECT array_agg(a.attname::text) AS columns FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
            WHERE i.indrelid = '{{table}}'::regclass AND i.indisunique AND (i.indnkeyatts = 1 OR NOT EXISTS (
                SELECT FROM pg_attribute b WHERE b.attrelid = i.indrelid AND b.attnum = ANY (i.indkey) AND b.attname LIKE '%\_id'))),
        model AS MATERIALIZED (
            SELECT each.key, each.value AS original, each.value #>> '{}' AS value, coalesce(each.key = ANY (uniques.columns), false) AS is_unique
            FROM (SELECT * FROM {{table}} LIMIT 1) AS row, uniques, jsonb_each(to_jsonb(row)) AS each)
        INSERT INTO {{table}} OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(NULL::{{table}}, members)).* FROM (
            SELECT jsonb_object_agg(key, CASE
                WHEN value ~ '^[0-9a-f]{32}$' THEN to_jsonb(md5(value || n))
                WHEN NOT is_unique OR value IS NULL OR value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' THEN original
                WHEN jsonb_typeof(original) = 'number' THEN to_jsonb(value::numeric + 1000 + n)
                WHEN value LIKE '\\x%' THEN to_jsonb('\x' || md5(value || n) || md5(n || value))
                ELSE to_jsonb(value || '-' || n) END) AS members
            FROM model, generate_series(1, {{count}}) AS n GROUP BY n
            OFFSET 0) AS others
        """;
}
