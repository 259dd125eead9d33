using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;

namespace OpenHands.Tests.ServiceDefaults;

/// <summary>The spans that a test wants to see. Sources are global to the process, so it says which spans are its own.</summary>
internal sealed class SpanList(Func<Activity, bool> isMine) : BaseProcessor<Activity>
{
    private readonly ConcurrentQueue<Activity> _ended = [];
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Activity>> _awaited = [];

    public IReadOnlyList<Activity> Ended => [.. _ended];

    /// <summary>The first span of that name, as soon as it has ended.</summary>
    public Task<Activity> FirstAsync(string name) => Awaited(name).Task.WaitAsync(TestContext.Current.CancellationToken);

    public override void OnEnd(Activity data)
    {
        if (!isMine(data))
            return;
        _ended.Enqueue(data);
        Awaited(data.DisplayName).TrySetResult(data);
    }

    private TaskCompletionSource<Activity> Awaited(string name) =>
        _awaited.GetOrAdd(name, _ => new TaskCompletionSource<Activity>(TaskCreationOptions.RunContinuationsAsynchronously));
}
