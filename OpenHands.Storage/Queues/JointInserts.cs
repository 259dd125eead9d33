using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Queues;

/// <summary>
/// Inserts tasks that are enqueued without a transaction: those of one tenant that come while a statement of theirs is on its way go
/// together with the next, so that many share a round trip, a commit and an announcement. Each is told once it is committed.
/// </summary>
public sealed class JointInserts(QueueWindow window)
{
    private const int MostTogether = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<TaskTenant, Queue<Insertion>> _lines = [];

    /// <summary>Inserts, commits and announces tasks.</summary>
    /// <param name="db">A context without a transaction, which the caller does not use meanwhile.</param>
    /// <param name="tenant">Whose they are.</param>
    /// <param name="rows">The tasks.</param>
    /// <param name="cancellationToken">Ends the attempt, unless it goes together with others; it may have succeeded all the same.</param>
    /// <returns>Ids of those that are new.</returns>
    internal async Task<HashSet<string>> InsertAsync(OpenHandsDb db, TaskTenant tenant, TaskInsert rows, CancellationToken cancellationToken)
    {
        // One whose key somebody else is about to use waits for that transaction, and is not to hold up others.
        if (rows.Count > MostTogether / 2 || rows.IdempotencyKeys.Any(key => key is not null))
            return await InsertAloneAsync(db, tenant, rows, cancellationToken);

        var insertion = new Insertion(rows);
        var leads = true;
        lock (_lock)
        {
            if (_lines.TryGetValue(tenant, out var line))
            {
                line.Enqueue(insertion);
                leads = false;
            }
            else
            {
                _lines.Add(tenant, []);
            }
        }

        var turn = leads ? Turn.Lead : await insertion.Turn.Task;
        if (!leads && turn == Turn.Lead)
            await Task.Yield(); // behind those who were told before
        if (turn == Turn.Lead)
            turn = await LeadAsync(db, tenant, insertion, cancellationToken);
        return turn.IsNew ?? await InsertAloneAsync(db, tenant, rows, cancellationToken);
    }

    // Whoever leads inserts its own and those of all who wait, and then lets the next one lead.
    private async Task<Turn> LeadAsync(OpenHandsDb db, TaskTenant tenant, Insertion own, CancellationToken cancellationToken)
    {
        List<Insertion> others = [];
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            others = Take(tenant, MostTogether - own.Rows.Count);
            var all = TaskInsert.Join([own.Rows, .. others.Select(other => other.Rows)]);
            var isNew = await ExecuteAsync(db, tenant, all, others.Count == 0 ? cancellationToken : CancellationToken.None);
            await AnnounceAsync(all, isNew);
            foreach (var other in others)
                other.Turn.TrySetResult(Turn.Inserted(other.Rows, isNew));
            return Turn.Inserted(own.Rows, isNew);
        }
        catch (Exception failure) when (others.Count > 0)
        {
            // What one of them did wrong is not to fail the others.
            var isOfAll = failure is NpgsqlException and not PostgresException or TimeoutException;
            foreach (var other in others)
                _ = isOfAll ? other.Turn.TrySetException(failure) : other.Turn.TrySetResult(Turn.Alone);
            if (isOfAll)
                throw;
            return Turn.Alone;
        }
        finally
        {
            PassOn(tenant); // last: those who were just told may have more, which goes with the next
        }
    }

    private List<Insertion> Take(TaskTenant tenant, int most)
    {
        var taken = new List<Insertion>();
        lock (_lock)
        {
            var line = _lines[tenant];
            while (line.TryPeek(out var next) && next.Rows.Count <= most)
            {
                most -= next.Rows.Count;
                taken.Add(line.Dequeue());
            }
        }

        return taken;
    }

    private void PassOn(TaskTenant tenant)
    {
        Insertion? next;
        lock (_lock)
        {
            if (!_lines[tenant].TryDequeue(out next))
                _lines.Remove(tenant);
        }

        next?.Turn.TrySetResult(Turn.Lead);
    }

    private async Task<HashSet<string>> InsertAloneAsync(OpenHandsDb db, TaskTenant tenant, TaskInsert rows, CancellationToken cancellationToken)
    {
        var isNew = await ExecuteAsync(db, tenant, rows, cancellationToken);
        await AnnounceAsync(rows, isNew);
        return isNew;
    }

    private async Task AnnounceAsync(TaskInsert rows, HashSet<string> isNew)
    {
        foreach (var (queue, ids) in rows.Due(isNew))
            await window.PushAsync(queue, ids);
    }

    // Both statements are one transaction, since they are one batch.
    private static async Task<HashSet<string>> ExecuteAsync(OpenHandsDb db, TaskTenant tenant, TaskInsert rows, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
#pragma warning disable RS0030 // The batch tells the tenant itself.
            await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
#pragma warning restore RS0030
            batch.BatchCommands.Add(tenant.Command());
            var insert = new NpgsqlBatchCommand(TaskInsert.Statement);
            rows.AddTo(insert.Parameters, tenant.OrganizationId, tenant.UserId);
            batch.BatchCommands.Add(insert);
            await using var answers = await UnsentBatches.ReadAsync(batch, cancellationToken);
            await answers.NextResultAsync(cancellationToken); // the first is that of the tenant
            var isNew = new HashSet<string>(rows.Count);
            while (await answers.ReadAsync(cancellationToken))
                isNew.Add(answers.GetString(0));
            await answers.NextResultAsync(cancellationToken); // the end, which may still be a failure: of a check that waited for the commit
            return isNew;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private sealed record Insertion(TaskInsert Rows)
    {
        public TaskCompletionSource<Turn> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    // What is next for one who waits: to lead, to try alone, or nothing, since it is inserted.
    private sealed class Turn(HashSet<string>? isNew)
    {
        public static readonly Turn Lead = new(isNew: null);

        public static readonly Turn Alone = new(isNew: null);

        public HashSet<string>? IsNew => isNew;

        public static Turn Inserted(TaskInsert rows, HashSet<string> isNew) => new([.. rows.Ids.Where(isNew.Contains)]);
    }
}

/// <summary>Whose a task is.</summary>
/// <param name="UserId">The user as whom it works.</param>
/// <param name="OrganizationId">The organization that it is for; null for none.</param>
internal readonly record struct TaskTenant(string UserId, string? OrganizationId)
{
    private const string Statement = "SELECT set_config('app.user_id', $1, true), set_config('app.organization_id', $2, true)";

    /// <summary>Tells PostgreSQL until the end of the transaction.</summary>
    public NpgsqlBatchCommand Command() => new(Statement)
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = UserId }, new NpgsqlParameter<string> { TypedValue = OrganizationId ?? "" } },
    };
}
