using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Audit;

/// <summary>
/// Writes what changes no row of its own, reads above all. Whoever notes waits until it is on disk, so a value never leaves
/// unaudited; those who wait at the same time share one commit and one row, so that many readers cost few. The sealer makes events of it.
/// </summary>
public sealed class AuditLog(DatabasePool pool, TimeProvider time)
{
    // One statement of this many takes a few milliseconds.
    private const int Most = 500;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private bool _writing;

    /// <summary>Writes it, and comes back when it is committed.</summary>
    /// <exception cref="Exception">It could not be written: what was to be read must not be handed out.</exception>
    public Task NoteAsync(AuditNote note, TenantContext? tenant)
    {
        ArgumentNullException.ThrowIfNull(note);
        return WriteAsync(note.By(tenant, time));
    }

    /// <summary>The same for somebody who acts outside a tenant's work, such as who logs in.</summary>
    public Task NoteAsync(AuditNote note, string actor, AuditOrigin origin)
    {
        ArgumentNullException.ThrowIfNull(note);
        return WriteAsync(note.By(actor, origin, time));
    }

    private Task WriteAsync(AuditEvent audited)
    {
        var waiting = new Waiting(audited);
        lock (_lock)
        {
            _waiting.Enqueue(waiting);
            if (_writing)
                return waiting.Written.Task;
            _writing = true;
        }

        _ = Task.Run(WriteAllAsync);
        return waiting.Written.Task;
    }

    private async Task WriteAllAsync()
    {
        NpgsqlConnection? kept = null; // as long as there is something to write: to return one has it reset
        while (await TakeAsync() is { Count: > 0 } batch)
        {
            try
            {
                kept ??= await pool.OpenAsync(CancellationToken.None);
                await WriteAsync(kept, batch);
                batch.ForEach(waiting => waiting.Written.SetResult());
            }
            catch (Exception failure)
            {
                batch.ForEach(waiting => waiting.Written.SetException(failure));
                await ReturnAsync(kept);
                kept = null;
            }
        }

        await ReturnAsync(kept);
    }

    // Nobody would write what comes next if this threw.
    private static async Task ReturnAsync(NpgsqlConnection? connection)
    {
        if (connection is not null)
            await connection.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Behind all who are about to run: those of them who note share the commit.
    private async Task<List<Waiting>> TakeAsync()
    {
        await Task.Yield();
        return Take();
    }

    // Nothing left: whoever comes next begins anew.
    private List<Waiting> Take()
    {
        lock (_lock)
        {
            var batch = new List<Waiting>(Math.Min(_waiting.Count, Most));
            while (batch.Count < Most && _waiting.TryDequeue(out var next))
                batch.Add(next);
            _writing = batch.Count > 0;
            return batch;
        }
    }

    private static async Task WriteAsync(NpgsqlConnection connection, List<Waiting> batch)
    {
        await using var note = new NpgsqlCommand("SELECT add_audit_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", connection);
        AuditRows.AddTo(note.Parameters, batch.ConvertAll(waiting => waiting.Event));
        await note.ExecuteNonQueryAsync();
    }

    private sealed record Waiting(AuditEvent Event)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
