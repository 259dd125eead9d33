using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Audit;

/// <summary>
/// Writes what changes no row of its own, reads above all. Whoever notes waits until it is on disk, so a value never leaves
/// unaudited; those who wait at the same time share one commit, so that many readers cost few.
/// </summary>
public sealed class AuditLog(IServiceScopeFactory scopes, TimeProvider time)
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
        while (Take() is { Count: > 0 } batch)
        {
            try
            {
                await WriteAsync([.. batch.Select(waiting => waiting.Event)]);
                batch.ForEach(waiting => waiting.Written.SetResult());
            }
            catch (Exception failure)
            {
                batch.ForEach(waiting => waiting.Written.SetException(failure));
            }
        }
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

    private async Task WriteAsync(AuditEvent[] events)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<OpenHandsDb>().Database.ExecuteSqlAsync(
            $"""
            SELECT note_audit_events({events.Select(e => e.Id).ToArray()}, {events.Select(e => e.OrganizationId).ToArray()}, {events.Select(e => e.UserId).ToArray()},
                {events.Select(e => e.Actor).ToArray()}, {events.Select(e => e.Action).ToArray()}, {events.Select(e => e.Target).ToArray()},
                {events.Select(e => e.Detail).ToArray()}, {events.Select(e => e.Address).ToArray()}, {events.Select(e => e.ApiKeyId).ToArray()},
                {events.Select(e => e.RequestId).ToArray()}, {events.Select(e => e.OccurredAt).ToArray()})
            """);
    }

    private sealed record Waiting(AuditEvent Event)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
