using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Audit;

/// <summary>What was sealed stays as it was, or is found.</summary>
public sealed class AuditChainTests(DatabaseServer server) : IAsyncLifetime
{
    private static readonly KeyRing Ring = new("a key of the ring with more than 32 characters");

    private TestDatabase _database = null!;
    private string _organization = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _organization = await _database.DefaultOrganizationAsync(await _database.SignInAsync());
        await _database.QueryAsync("ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task What_is_sealed_is_intact_and_what_is_younger_is_named()
    {
        await NoteAsync(25);
        await SealAsync();
        await NoteAsync(10);
        await SealAsync();
        await NoteAsync(1, "young");

        var report = await VerifyAsync();
        Assert.True(report.IsIntact, string.Join('\n', report.Findings));
        Assert.Equal((35, 2, 1), (report.Events, report.Links, report.UnsealedCount));
        Assert.Equal(await _database.QueryAsync($"SELECT id FROM ({AuditRows.All}) AS e WHERE target = 'young0'"), report.Unsealed);
    }

    [Theory]
    [InlineData(AuditFault.Edited, 3, "UPDATE audit_events SET actor = 'somebody else' WHERE position = 3")]
    [InlineData(AuditFault.Edited, 3, "UPDATE audit_events SET occurred_at = occurred_at - interval '1 us' WHERE position = 3")]
    [InlineData(AuditFault.Deleted, 4, "DELETE FROM audit_events WHERE position = 4")]
    [InlineData(AuditFault.Deleted, 10, "DELETE FROM audit_events WHERE position = 10")]
    [InlineData(AuditFault.Deleted, 4, "UPDATE audit_events SET position = NULL WHERE position = 4")]
    [InlineData(AuditFault.Inserted, 11, "INSERT INTO audit_events (id, actor, action, target, detail, occurred_at, position) SELECT 'new', actor, action, target, detail, occurred_at, 11 FROM audit_events WHERE position = 1")]
    [InlineData(AuditFault.Inserted, 0, "INSERT INTO audit_events (id, actor, action, target, detail, occurred_at, position) SELECT 'new', actor, action, target, detail, occurred_at, 0 FROM audit_events WHERE position = 1")]
    [InlineData(AuditFault.Edited, 5, "DELETE FROM audit_events WHERE position = 5; INSERT INTO audit_events (id, actor, action, target, detail, occurred_at, position) SELECT 'new', actor, action, target, detail, occurred_at, 5 FROM audit_events WHERE position = 1")]
    [InlineData(AuditFault.Reordered, 2, "UPDATE audit_events SET position = -1 WHERE position = 2; UPDATE audit_events SET position = 2 WHERE position = 3; UPDATE audit_events SET position = 3 WHERE position = -1")]
    [InlineData(AuditFault.ChainBroken, 1, "UPDATE audit_seals SET leaves = decode(repeat('00', 160), 'hex') WHERE number = 1")]
    [InlineData(AuditFault.ChainBroken, 2, "DELETE FROM audit_seals WHERE number = 1")]
    [InlineData(AuditFault.ChainBroken, 2, "UPDATE audit_seals SET pruned = '1-10' WHERE number = 2")]
    [InlineData(AuditFault.NotSigned, 2, "UPDATE audit_seals SET signature = set_byte(signature, 7, get_byte(signature, 7) # 1) WHERE number = 2")]
    [InlineData(AuditFault.NotSigned, 2, "UPDATE audit_seals SET signing_key_id = '0000000000000000' WHERE number = 2")]
    public async Task Whatever_an_administrator_of_the_database_does_to_it_is_found(AuditFault expected, long position, string tampering)
    {
        await NoteAsync(5);
        await SealAsync();
        await NoteAsync(5);
        await SealAsync();
        Assert.True((await VerifyAsync()).IsIntact);

        await _database.QueryAsync(tampering);
        var report = await VerifyAsync();
        Assert.False(report.IsIntact);
        Assert.Contains(report.Findings, finding => finding.Kind == expected && finding.Position == position);
    }

    [Fact]
    public async Task A_chain_whose_end_was_cut_off_is_found_by_a_head_that_was_noted()
    {
        await NoteAsync(5);
        await SealAsync();
        await NoteAsync(5);
        await SealAsync();
        var head = (await VerifyAsync()).Head;
        Assert.True((await VerifyAsync(head: head)).IsIntact);

        await _database.QueryAsync("DELETE FROM audit_seals WHERE number = 2; DELETE FROM audit_events WHERE position > 5");
        Assert.True((await VerifyAsync()).IsIntact); // nothing left to see it by
        Assert.Equal(AuditFault.ChainBroken, Assert.Single((await VerifyAsync(head: head)).Findings).Kind);
    }

    [Theory]
    [InlineData("INSERT INTO audit_events (id, actor, action, target, detail, occurred_at) VALUES ('00late', 'a', 'b', 'late', '', now())")]
    [InlineData("SELECT add_audit_group('{00late}', '{NULL}', '{NULL}', '{a}', '{b}', '{late}', '{d}', '{NULL}', '{NULL}', '{NULL}', ARRAY[now()])")]
    public async Task A_late_commit_is_sealed_late_and_nothing_that_began_after_it_comes_before(string write)
    {
        await NoteAsync(3, "early");
        await using var slow = new NpgsqlConnection(_database.Administrator);
        await slow.OpenAsync(Token);
        await using var transaction = await slow.BeginTransactionAsync(Token);
        await using (var insert = new NpgsqlCommand(write, slow, transaction))
            await insert.ExecuteNonQueryAsync(Token);
        await NoteAsync(3, "after");

        await SealAsync();
        Assert.Equal(["early0", "early1", "early2"], await _database.QueryAsync("SELECT target FROM audit_events WHERE position IS NOT NULL ORDER BY position"));
        Assert.Equal(3, (await VerifyAsync()).UnsealedCount);

        await transaction.CommitAsync(Token);
        await SealAsync();
        Assert.Equal(
            ["early0", "early1", "early2", "late", "after0", "after1", "after2"], await _database.QueryAsync("SELECT target FROM audit_events ORDER BY position"));
        var report = await VerifyAsync();
        Assert.True(report.IsIntact);
        Assert.Equal(0, report.UnsealedCount);
    }

    [Fact]
    public async Task Events_that_came_with_a_backup_of_another_server_are_sealed()
    {
        await NoteAsync(2);
        await _database.QueryAsync("INSERT INTO audit_events (id, actor, action, target, detail, occurred_at) VALUES ('x', 'a', 'b', 'c', '', now())");
        foreach (var table in new[] { "audit_events", "audit_groups" })
            await _database.QueryAsync($"UPDATE {table} SET transaction_id = '9000000000000000'::xid8");
        await SealAsync();
        Assert.Equal(3, (await VerifyAsync()).Events);
    }

    [Fact]
    public async Task More_groups_than_a_link_takes_are_sealed_in_several_each_event_once()
    {
        await _database.QueryAsync(
            """
            DO $$ BEGIN
                FOR g IN 1..250 LOOP
                    PERFORM add_audit_group(array_agg(lpad(g::text, 3, '0') || '-' || n), array_agg(t), array_agg(t), array_agg('a'::text), array_agg('b'::text), array_agg(g || '-' || n),
                        array_agg(''::text), array_agg(t), array_agg(t), array_agg(t), array_agg(now()))
                    FROM generate_series(1, 3) n, (SELECT NULL::text) AS nothing(t);
                END LOOP;
            END $$
            """);

        await SealAsync();
        var report = await VerifyAsync();
        Assert.True(report.IsIntact, string.Join('\n', report.Findings));
        Assert.Equal((750, 2, 0), (report.Events, report.Links, report.UnsealedCount));
        Assert.Equal(
            Enumerable.Range(1, 250).SelectMany(group => Enumerable.Range(1, 3).Select(number => $"{group}-{number}")), await _database.QueryAsync("SELECT target FROM audit_events ORDER BY position"));
        Assert.Equal(["0"], await _database.QueryAsync("SELECT count(*) FROM audit_groups"));
    }

    [Fact]
    public async Task After_a_rotation_the_newest_signature_speaks_for_the_links_before()
    {
        await NoteAsync(3);
        await SealAsync();
        var newer = new KeyRing("another key of the ring, with more than 32 characters");
        Assert.Equal(AuditFault.NotSigned, Assert.Single((await VerifyAsync(newer)).Findings).Kind);

        await NoteAsync(3);
        await SealAsync(new KeyRing("another key of the ring, with more than 32 characters", "a key of the ring with more than 32 characters"));
        Assert.True((await VerifyAsync(newer)).IsIntact);
        await _database.QueryAsync("UPDATE audit_events SET detail = 'x' WHERE position = 1");
        Assert.False((await VerifyAsync(newer)).IsIntact);
    }

    [Fact]
    public async Task Retention_deletes_only_what_an_organization_no_longer_keeps_and_the_chain_says_so()
    {
        await NoteAsync(5);
        await SealAsync();
        await _database.QueryAsync("UPDATE audit_events SET position = NULL; DELETE FROM audit_seals"); // not to be sealed before they are old
        await _database.QueryAsync($"UPDATE audit_events SET organization_id = '{_organization}', occurred_at = now() - interval '40 days', id = '0' || substr(id, 2) WHERE target IN ('1', '2', '4')");
        await _database.QueryAsync($"UPDATE audit_events SET id = lpad(to_hex((extract(epoch FROM occurred_at) * 1000)::bigint), 12, '0') || substr(id, 13)");
        await _database.QueryAsync($"INSERT INTO audit_retentions VALUES ('{_organization}', 60)");
        await SealAsync();
        Assert.Equal(0, await PruneAsync());

        await _database.QueryAsync($"UPDATE audit_retentions SET days = 30; DELETE FROM audit_events WHERE position IS NULL");
        Assert.Equal(3, await PruneAsync());
        var report = await VerifyAsync();
        Assert.True(report.IsIntact, string.Join('\n', report.Findings));
        Assert.Equal((3, 3), (report.Events, report.Pruned)); // two, and that the retention was chosen

        await _database.QueryAsync("DELETE FROM audit_events WHERE target = '0'");
        Assert.Equal(AuditFault.Deleted, Assert.Single((await VerifyAsync()).Findings).Kind);
    }

    [Fact]
    public async Task What_no_organization_decides_about_is_kept_as_long_as_the_operator_says()
    {
        await NoteAsync(4);
        await SealAsync();
        await _database.QueryAsync("UPDATE audit_events SET position = NULL; DELETE FROM audit_seals"); // not to be sealed before they are old
        await _database.QueryAsync(
            $"""
            UPDATE audit_events SET occurred_at = now() - interval '40 days' WHERE target <> '3';
            UPDATE audit_events SET organization_id = '{_organization}' WHERE target = '1';
            UPDATE audit_events SET organization_id = 'an organization that is gone' WHERE target = '2';
            UPDATE audit_events SET id = lpad(to_hex((extract(epoch FROM occurred_at) * 1000)::bigint), 12, '0') || substr(id, 13)
            """);
        await SealAsync();
        Assert.Equal(0, await PruneAsync());
        Assert.Equal(0, await PruneAsync(days: 60));
        Assert.Equal(2, await PruneAsync(days: 30));
        Assert.Equal(["1", "3"], await _database.QueryAsync("SELECT target FROM audit_events ORDER BY target"));
        var report = await VerifyAsync();
        Assert.True(report.IsIntact, string.Join('\n', report.Findings));
        Assert.Equal(2, report.Pruned);
    }

    [Fact]
    public async Task A_file_is_verified_far_from_the_database_also_with_the_public_key_alone()
    {
        await NoteAsync(5);
        await SealAsync();
        var path = Path.GetTempFileName();
        try
        {
            await using (var connection = await SystemAsync())
            await using (await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token))
            await using (var file = new StreamWriter(path))
                Assert.Equal(6, await AuditFile.WriteAsync(new AuditDatabase(connection), file, Token));

            using (var verifier = AuditVerifier.WithPublicKey(AuditVerifier.PublicKey(Ring)))
                Assert.True((await verifier.VerifyAsync(new AuditFile(path), null, Token)).IsIntact);
            await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Token)).Replace("\"target\":\"3\"", "\"target\":\"9\"", StringComparison.Ordinal), Token);
            using (var verifier = AuditVerifier.With(Ring))
                Assert.Equal(AuditFault.Edited, Assert.Single((await verifier.VerifyAsync(new AuditFile(path), null, Token)).Findings).Kind);
            using (var stranger = AuditVerifier.WithPublicKey(AuditVerifier.PublicKey(new KeyRing("another key of the ring, with more than 32 characters"))))
                Assert.Contains((await stranger.VerifyAsync(new AuditFile(path), null, Token)).Findings, finding => finding.Kind == AuditFault.NotSigned);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("", 5, false)]
    [InlineData("5", 5, true)]
    [InlineData("1-3,7-9", 3, true)]
    [InlineData("1-3,7-9", 4, false)]
    [InlineData("1-3,7-9", 8, true)]
    [InlineData("1-3,7-9", 10, false)]
    public void Ranges_hold_what_was_written(string text, long position, bool contained)
    {
        var ranges = new PositionRanges();
        if (text.Length > 0)
            ranges.Add(text);
        ranges.Sort();
        Assert.Equal(contained, ranges.Contains(position));
        Assert.Equal(text, PositionRanges.Write(Enumerable.Range(0, 20).Select(number => (long)number).Where(ranges.Contains)));
    }

    private async Task NoteAsync(int count, string target = "")
    {
        for (var number = 0; number < count; number++)
            await _database.Audit.NoteAsync(new AuditNote(AuditNote.SecretRead, $"{target}{number}", "", null, null), "user", new AuditOrigin(null, null, null));
    }

    private async Task<NpgsqlConnection> SystemAsync()
    {
        var connection = new NpgsqlConnection(_database.System);
        await connection.OpenAsync(Token);
        return connection;
    }

    // Transactions of other tests on the same server hold the horizon back, too.
    private async Task SealAsync(KeyRing? ring = null)
    {
        await Eventually.TrueAsync("what is to be sealed is below the horizon", async () => (await _database.QueryAsync(
            $"""
            SELECT 1 FROM ({AuditRows.All}) AS e
            WHERE position IS NULL AND transaction_id BETWEEN pg_snapshot_xmin(pg_current_snapshot()) AND pg_snapshot_xmax(pg_current_snapshot()) AND target NOT LIKE 'after%'
            """)).Count == 0);
        await using var connection = await SystemAsync();
        await new AuditSealer(ring ?? Ring, TimeProvider.System).SealAsync(connection, Token);
    }

    private async Task<int> PruneAsync(int? days = null)
    {
        await using var connection = await SystemAsync();
        return await new AuditSealer(Ring, TimeProvider.System) { DaysWithoutOrganization = days }.PruneAsync(connection, Token);
    }

    private async Task<AuditReport> VerifyAsync(KeyRing? ring = null, string? head = null)
    {
        await using var connection = await SystemAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        using var verifier = AuditVerifier.With(ring ?? Ring);
        return await verifier.VerifyAsync(new AuditDatabase(connection), head, Token);
    }
}
