using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// How one feeder looks for what waits in its queue: at everything while that is cheap. Once it is dear, because a transaction somewhere stays
/// open, in the lanes that it knows, and at everything only now and then and beside that: it finds what was put back behind the front of a lane.
/// </summary>
internal sealed class FeedLook(string queue, TimeProvider time)
{
    /// <summary>Most fairness keys of one look at everything.</summary>
    public const int MostKeys = 256;

    private const int MostLanes = 1024;

    private readonly Dictionary<(string FairnessKey, short Priority), WaitingLane> _lanes = [];
    private readonly Pace _pace = new(TimeSpan.Zero, time);
    private Task<IReadOnlyList<QueueHead>>? _beside;
    private string? _cursor;

    /// <summary>How long a look at everything may take until it is dear.</summary>
    public TimeSpan Cheap { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>True when there is more than one look can hold: the next one goes on behind it.</summary>
    public bool IsPartial => _cursor is not null;

    /// <summary>The first tasks of those who share the queue.</summary>
    public async Task<IReadOnlyList<QueueHead>> LookAsync(WaitingTasks waiting, int each, CancellationToken cancellationToken)
    {
        if (_beside is { IsCompleted: true } looked)
        {
            _beside = null;
            Note(await looked);
        }

        if (_lanes.Count == 0 || IsPartial || (_pace.Cost <= Cheap && _beside is null))
            return await LookAtEverythingAsync(waiting, each, cancellationToken);
        if (_beside is null && _pace.IsDue)
            _beside = LookAtEverythingAsync(waiting, each, cancellationToken);
        return await LookInLanesAsync(waiting, each, cancellationToken);
    }

    private async Task<IReadOnlyList<QueueHead>> LookAtEverythingAsync(WaitingTasks waiting, int each, CancellationToken cancellationToken)
    {
        using var work = _pace.Work();
        var heads = await waiting.HeadsAsync(queue, _cursor, MostKeys, each, cancellationToken);
        if (heads.Count < MostKeys && _cursor is not null)
            heads = [.. heads, .. (await waiting.HeadsAsync(queue, null, MostKeys - heads.Count, each, cancellationToken)).Where(head => heads.All(known => known.FairnessKey != head.FairnessKey))];
        _cursor = heads.Count == MostKeys ? heads[^1].FairnessKey : null;
        if (_beside is null)
            Note(heads);
        return heads;
    }

    private async Task<IReadOnlyList<QueueHead>> LookInLanesAsync(WaitingTasks waiting, int each, CancellationToken cancellationToken)
    {
        var (heads, now) = await waiting.LanesAsync(queue, [.. _lanes.Values], each, cancellationToken);
        // In a lane without a task everything is past.
        var since = QueueHead.Before(now, now);
        foreach (var (key, lane) in _lanes.Where(lane => lane.Value.Since < since))
            _lanes[key] = lane with { Since = since };

        Note(heads);
        return heads;
    }

    private void Note(IReadOnlyList<QueueHead> heads)
    {
        foreach (var front in heads.SelectMany(head => head.Fronts))
            _lanes[(front.FairnessKey, front.Priority)] = front;
        if (_lanes.Count <= MostLanes)
            return;
        foreach (var (key, _) in _lanes.OrderBy(lane => lane.Value.Since).Take(_lanes.Count - MostLanes / 2).ToList())
            _lanes.Remove(key);
    }
}
