using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Queues;

/// <summary>
/// Enqueues tasks of the tenant of its scope, in the transaction that is open in the scope's <see cref="OpenHandsDb"/>: a rollback
/// leaves nothing. Without an open transaction they are committed by themselves, together with what others enqueue for the same tenant at
/// that moment. Once they are committed they are announced in Redis.
/// </summary>
public sealed class TaskQueue(OpenHandsDb db, TenantContext tenant, QueueWindow window, JointInserts joint, TimeProvider time)
{
    /// <summary>Enqueues one task. A name, the payload or a bound that is not allowed throws <see cref="ArgumentException"/>.</summary>
    public async Task<EnqueuedTask> EnqueueAsync(NewTask task, CancellationToken cancellationToken) => (await EnqueueAsync([task], cancellationToken))[0];

    /// <summary>The shorter form for a task with nothing special.</summary>
    public Task<EnqueuedTask> EnqueueAsync(string queue, string type, JsonNode? payload, CancellationToken cancellationToken) =>
        EnqueueAsync(new NewTask(queue, type, payload), cancellationToken);

    /// <summary>Enqueues up to 10,000 tasks in one statement; the answers come in the same order.</summary>
    public async Task<IReadOnlyList<EnqueuedTask>> EnqueueAsync(IReadOnlyList<NewTask> tasks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        var user = tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");
        if (tasks.Count == 0)
            return [];
        var rows = TaskInsert.Of(tasks, tenant.OrganizationId ?? user, time);
        var isNew = db.Database.CurrentTransaction is { } transaction
            ? await InsertAsync(transaction, rows, user, cancellationToken)
            : await joint.InsertAsync(db, new TaskTenant(user, tenant.OrganizationId), rows, cancellationToken);
        return isNew.Count == rows.Count
            ? [.. rows.Ids.Select((id, i) => new EnqueuedTask(id, true, StatusOf(rows, i), null))]
            : await WithFormerAsync(rows, isNew, user, cancellationToken);
    }

    private async Task<HashSet<string>> InsertAsync(IDbContextTransaction transaction, TaskInsert rows, string user, CancellationToken cancellationToken)
    {
#pragma warning disable RS0030 // The transaction knows the tenant already, and a query of EF would cost more than the rest.
        await using var insert = new NpgsqlCommand(TaskInsert.Statement, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());
#pragma warning restore RS0030
        rows.AddTo(insert.Parameters, tenant.OrganizationId, user);
        var isNew = (await insert.TextsAsync(cancellationToken)).ToHashSet();
        foreach (var (queue, ids) in rows.Due(isNew))
            db.AfterCommit.Add(() => window.PushAsync(queue, ids));
        return isNew;
    }

    // With a key that was used before, the task of that time answers.
    private async Task<IReadOnlyList<EnqueuedTask>> WithFormerAsync(TaskInsert rows, HashSet<string> isNew, string user, CancellationToken cancellationToken)
    {
        string?[] keys = [.. rows.IdempotencyKeys.Distinct()];
        var former = await db.Database.SqlQuery<FormerTask>(
            $"""
            SELECT id, queue, idempotency_key, status, result::text AS result FROM tasks
            WHERE coalesce(organization_id, user_id, '') = {tenant.OrganizationId ?? user} AND queue = ANY ({rows.Queues}) AND idempotency_key = ANY ({keys})
            """).ToListAsync(cancellationToken);
        var byKey = former.ToDictionary(task => (task.Queue, task.IdempotencyKey));
        return [.. Enumerable.Range(0, rows.Count).Select(Answer)];

        EnqueuedTask Answer(int i)
        {
            if (isNew.Contains(rows.Ids[i]))
                return new EnqueuedTask(rows.Ids[i], true, StatusOf(rows, i), null);
            return byKey.TryGetValue((rows.Queues[i], rows.IdempotencyKeys[i] ?? ""), out var task)
                ? new EnqueuedTask(task.Id, false, task.Status, task.Result)
                : throw new InvalidOperationException("The task with this idempotency key belongs to a colleague, or was deleted this moment.");
        }
    }

    private static string StatusOf(TaskInsert rows, int i) => rows.Delays[i] > TimeSpan.Zero ? QueuedTaskStatus.Scheduled : QueuedTaskStatus.Waiting;

    private sealed record FormerTask(string Id, string Queue, string IdempotencyKey, string Status, string? Result);
}
