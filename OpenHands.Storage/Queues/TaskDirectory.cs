using Microsoft.EntityFrameworkCore;

namespace OpenHands.Storage.Queues;

/// <summary>What operators see of queues and tasks, and do to them: of one organization as its admin, or of all as the role <c>openhands_system</c>.</summary>
/// <param name="db">Reaches the tasks; under a tenant row-level security holds as well.</param>
/// <param name="organization">The organization; null for all tasks there are.</param>
public sealed class TaskDirectory(OpenHandsDb db, string? organization)
{
    /// <summary>All queues that have a task, by name.</summary>
    public async Task<IReadOnlyList<QueueOverview>> QueuesAsync(CancellationToken cancellationToken) => await db.Database.SqlQuery<QueueOverview>(
        $"""
        SELECT t.queue, count(*) FILTER (WHERE t.status = 'waiting') AS waiting, count(*) FILTER (WHERE t.status = 'leased') AS running,
            count(*) FILTER (WHERE t.status = 'scheduled') AS scheduled, count(*) FILTER (WHERE t.status = 'scheduled' AND t.attempt > 0) AS retrying,
            count(*) FILTER (WHERE t.status = 'dead') AS dead, count(*) FILTER (WHERE t.status = 'done') AS done,
            greatest(extract(epoch FROM clock_timestamp() - min(t.run_at) FILTER (WHERE t.status = 'waiting')), 0)::float8 AS oldest_age_seconds,
            count(*) FILTER (WHERE t.finished_at > clock_timestamp() - interval '1 minute') AS finished_last_minute,
            count(*) FILTER (WHERE t.finished_at > clock_timestamp() - interval '1 hour') AS finished_last_hour
        FROM tasks t WHERE {organization}::text IS NULL OR t.organization_id = {organization}
        GROUP BY t.queue ORDER BY t.queue
        """).ToListAsync(cancellationToken);

    /// <summary>Tasks, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="before">Begins with the one before this id; null for the newest.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<TaskSummary>> TasksAsync(TaskFilter filter, string? before, int most, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return await db.Database.SqlQuery<TaskSummary>(
            $"""
            SELECT id, queue, type, status, organization_id, user_id, attempt, lease_number, priority, reason, created_at, run_at, leased_at, finished_at
            FROM tasks
            WHERE ({organization}::text IS NULL OR organization_id = {organization}) AND ({filter.Queue}::text IS NULL OR queue = {filter.Queue})
                AND ({filter.Status}::text IS NULL OR status = {filter.Status}) AND ({filter.Type}::text IS NULL OR type = {filter.Type})
                AND (NOT {filter.Failed} OR attempt > 0)
                AND ({before}::text IS NULL OR id < {before})
            ORDER BY id DESC LIMIT {most}
            """).ToListAsync(cancellationToken);
    }

    /// <summary>Everything about a task; null when there is none of this id.</summary>
    public async Task<TaskDetail?> FindAsync(string id, CancellationToken cancellationToken) => (await db.Database.SqlQuery<TaskDetail>(
        $"""
        SELECT id, queue, type, status, organization_id, user_id, fairness_key, attempt, max_attempts, lost, lease_number, priority, worker_id, cancel_requested,
            idempotency_key, producer_id, reason, trace_parent, payload::text AS payload, progress::text AS progress, result::text AS result,
            created_at, run_at, leased_at, finished_at, expires_at
        FROM tasks WHERE id = {id} AND ({organization}::text IS NULL OR organization_id = {organization})
        """).ToListAsync(cancellationToken)).SingleOrDefault();

    /// <summary>Calls a task off. One that waits is cancelled at once; the handler of one that runs is told, on whatever machine it is.</summary>
    public async Task<TaskChange> CancelAsync(string id, CancellationToken cancellationToken)
    {
        var changed = await db.Database.SqlQuery<string>(
            $"""
            UPDATE tasks SET cancel_requested = true,
                status = CASE WHEN status = 'leased' THEN status ELSE 'cancelled' END,
                reason = CASE WHEN status = 'leased' THEN reason ELSE 'It was called off before it ran.' END,
                finished_at = CASE WHEN status = 'leased' THEN NULL ELSE clock_timestamp() END,
                expires_at = CASE WHEN status = 'leased' THEN NULL ELSE clock_timestamp() + retention END
            WHERE id = {id} AND ({organization}::text IS NULL OR organization_id = {organization}) AND status IN ('scheduled', 'waiting', 'leased')
            RETURNING status AS "Value"
            """).ToListAsync(cancellationToken);
        // In a transaction of its own: it would hold up every commit of the database until the caller's is done.
        if (changed is [QueuedTaskStatus.Leased])
            await db.Database.ExecuteSqlAsync($"SELECT pg_notify({TaskNotice.CancelChannel}, {id})", cancellationToken);
        return await OutcomeAsync(id, changed.Count > 0, cancellationToken);
    }

    /// <summary>Lets a task run once more that was given up or cancelled, with all its attempts; its lease number goes on.</summary>
    public async Task<TaskChange> ReplayAsync(string id, CancellationToken cancellationToken)
    {
        var changed = await db.Database.ExecuteSqlAsync(
            $"""
            UPDATE tasks SET status = 'waiting', run_at = clock_timestamp(), attempt = 0, lost = 0, cancel_requested = false,
                reason = NULL, progress = NULL, result = NULL, finished_at = NULL, expires_at = NULL
            WHERE id = {id} AND ({organization}::text IS NULL OR organization_id = {organization}) AND status IN ('dead', 'cancelled')
            """, cancellationToken);
        return await OutcomeAsync(id, changed > 0, cancellationToken);
    }

    /// <summary>The same for dead letters of a queue, oldest first.</summary>
    /// <returns>How many.</returns>
    public Task<int> ReplayAllAsync(string queue, int most, CancellationToken cancellationToken) => db.Database.ExecuteSqlAsync(
        $"""
        UPDATE tasks SET status = 'waiting', run_at = clock_timestamp(), attempt = 0, lost = 0, cancel_requested = false,
            reason = NULL, progress = NULL, result = NULL, finished_at = NULL, expires_at = NULL
        WHERE id IN (
            SELECT id FROM tasks WHERE queue = {queue} AND status = 'dead' AND ({organization}::text IS NULL OR organization_id = {organization})
            ORDER BY id LIMIT {most} FOR UPDATE SKIP LOCKED)
        """, cancellationToken);

    /// <summary>Deletes tasks of a queue in one state; never those that run.</summary>
    /// <returns>How many.</returns>
    public Task<int> PurgeAsync(string queue, string status, CancellationToken cancellationToken) => db.Database.ExecuteSqlAsync(
        $"""
        DELETE FROM tasks WHERE queue = {queue} AND status = {status} AND status <> 'leased' AND ({organization}::text IS NULL OR organization_id = {organization})
        """, cancellationToken);

    private async Task<TaskChange> OutcomeAsync(string id, bool changed, CancellationToken cancellationToken) =>
        changed ? TaskChange.Done : await FindAsync(id, cancellationToken) is null ? TaskChange.NotFound : TaskChange.NotInThisState;
}

/// <summary>Which tasks; null members choose all.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Status">One of <see cref="QueuedTaskStatus"/>.</param>
/// <param name="Type">Type of the task.</param>
/// <param name="Failed">Only those with an attempt that failed.</param>
public sealed record TaskFilter(string? Queue = null, string? Status = null, string? Type = null, bool Failed = false);

/// <summary>What became of a change to a task.</summary>
public enum TaskChange
{
    /// <summary>It was done.</summary>
    Done,

    /// <summary>There is no such task.</summary>
    NotFound,

    /// <summary>The task is in a state in which this cannot be done.</summary>
    NotInThisState,
}
