using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Queues;

/// <summary>
/// Enqueues tasks of the tenant of its scope, in the transaction that is open in the scope's <see cref="OpenHandsDb"/>: a rollback
/// leaves nothing. Without an open transaction it makes its own. Once it is committed the tasks are announced in Redis.
/// </summary>
public sealed class TaskQueue(OpenHandsDb db, TenantContext tenant, QueueWindow window, TimeProvider time)
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
        if (db.Database.CurrentTransaction is not null)
            return await InsertAsync(rows, user, cancellationToken);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var enqueued = await InsertAsync(rows, user, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return enqueued;
    }

    private async Task<IReadOnlyList<EnqueuedTask>> InsertAsync(TaskInsert rows, string user, CancellationToken cancellationToken)
    {
        var inserted = await db.Database.SqlQuery<string>(
            $"""
            INSERT INTO tasks (id, queue, type, payload, organization_id, user_id, fairness_key, priority, status, run_at, max_attempts,
                idempotency_key, retention, trace_parent, created_at)
            SELECT n.id, n.queue, n.type, n.payload::json, {tenant.OrganizationId}, {user}, n.fairness_key, n.priority,
                CASE WHEN n.delay > interval '0' THEN 'scheduled' ELSE 'waiting' END, clock_timestamp() + n.delay, n.max_attempts,
                n.idempotency_key, n.retention, {rows.TraceParent}, clock_timestamp()
            FROM unnest({rows.Ids}, {rows.Queues}, {rows.Types}, {rows.Payloads}, {rows.FairnessKeys}, {rows.Priorities}, {rows.Delays},
                {rows.MaxAttempts}, {rows.IdempotencyKeys}, {rows.Retentions})
                AS n(id, queue, type, payload, fairness_key, priority, delay, max_attempts, idempotency_key, retention)
            ON CONFLICT DO NOTHING
            RETURNING id AS "Value"
            """).ToListAsync(cancellationToken);
        var isNew = inserted.ToHashSet();
        Announce(rows, isNew);
        return isNew.Count == rows.Ids.Length
            ? [.. rows.Ids.Select((id, i) => new EnqueuedTask(id, true, StatusOf(rows, i), null))]
            : await WithFormerAsync(rows, isNew, user, cancellationToken);
    }

    private void Announce(TaskInsert rows, HashSet<string> isNew)
    {
        var due = Enumerable.Range(0, rows.Ids.Length).Where(i => rows.Delays[i] <= TimeSpan.Zero && isNew.Contains(rows.Ids[i]));
        foreach (var queue in due.GroupBy(i => rows.Queues[i], i => rows.Ids[i]))
        {
            var (name, ids) = (queue.Key, queue.ToArray());
            db.AfterCommit.Add(() => window.PushAsync(name, ids));
        }
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
        return [.. Enumerable.Range(0, rows.Ids.Length).Select(Answer)];

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
