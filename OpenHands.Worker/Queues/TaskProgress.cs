using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Lets a handler say how far it is; operators and the tenant's admins see it.</summary>
internal sealed class TaskProgress(TaskLeases leases)
{
    private QueuedTask? _task;

    /// <summary>Notes the progress.</summary>
    /// <param name="done">Steps done.</param>
    /// <param name="total">Steps in all; null when nobody knows.</param>
    /// <param name="note">A word more; nothing secret. Null for none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="OperationCanceledException">The lease has ended: go on no further.</exception>
    public async Task ReportAsync(long done, long? total, string? note, CancellationToken cancellationToken)
    {
        var task = _task ?? throw new InvalidOperationException("There is no task in this scope.");
        var progress = new JsonObject { ["done"] = done, ["total"] = total, ["note"] = note };
        if (!await leases.ReportAsync(task, progress.ToJsonString(JsonSerializerOptions.Default), cancellationToken))
            throw new OperationCanceledException("The lease has ended.");
    }

    /// <summary>Says whose progress it is.</summary>
    public void Begin(QueuedTask task) => _task = task;
}
