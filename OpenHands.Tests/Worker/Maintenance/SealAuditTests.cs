using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;
using OpenHands.Worker.Maintenance;

namespace OpenHands.Tests.Worker.Maintenance;

/// <summary>One worker seals at a time, and another goes on when it is gone.</summary>
public sealed class SealAuditTests(DatabaseServer server)
{
    private static readonly KeyRing Ring = new("a key of the ring with more than 32 characters");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_is_sealed_by_one_of_two_and_by_the_other_when_its_connection_is_gone()
    {
        var database = await server.CreateMigratedAsync();
        using var one = Chore(database);
        using var two = Chore(database);
        await one.StartAsync(Token);
        await two.StartAsync(Token);
        await NoteAsync(database, "first");
        await UntilSealedAsync(database, "first");

        var holders = await HoldersAsync(database);
        Assert.Single(holders);
        await database.QueryAsync($"SELECT pg_terminate_backend({holders[0]})");
        await NoteAsync(database, "second");
        await UntilSealedAsync(database, "second");

        await one.StopAsync(Token);
        await two.StopAsync(Token);
        Assert.Empty(await HoldersAsync(database));
        await using var system = new NpgsqlConnection(database.System);
        await system.OpenAsync(Token);
        await using var transaction = await system.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        using var verifier = AuditVerifier.With(Ring);
        Assert.True((await verifier.VerifyAsync(new AuditDatabase(system), null, Token)).IsIntact);
    }

    private static SealAudit Chore(TestDatabase database) =>
        new(database.System, new AuditSealer(Ring, TimeProvider.System), TimeProvider.System, NullLogger<SealAudit>.Instance);

    private static Task NoteAsync(TestDatabase database, string target) =>
        database.Audit.NoteAsync(new AuditNote(AuditNote.SecretRead, target, "", null, null), "user", new AuditOrigin(null, null, null));

    private static Task UntilSealedAsync(TestDatabase database, string target) => Eventually.TrueAsync($"{target} is sealed", async () =>
        (await database.QueryAsync($"SELECT 1 FROM audit_events WHERE target = '{target}' AND position IS NOT NULL")).Count == 1);

    private static Task<IReadOnlyList<string>> HoldersAsync(TestDatabase database) => database.QueryAsync(
        $"""
        SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32 | objid::bigint) = {SealAudit.LockKey}
        """);
}
