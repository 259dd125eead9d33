using Grpc.Core;
using OpenHands.Dashboard.Resources;

namespace OpenHands.Dashboard.Consoles;

/// <summary>Follows what one replica writes, for one page: the newest lines.</summary>
/// <param name="client">Asks the host.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class ConsoleTail(ResourceServiceClient client, TimeProvider timeProvider) : IDisposable
{
    /// <summary>How many lines are kept.</summary>
    public const int Capacity = 10_000;

    private const int LongestLine = 8_192;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly Queue<ConsoleLine> _lines = new();
    private CancellationTokenSource _ended = new();
    private long _version;

    /// <summary>Grows with every line.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>The lines kept, oldest first.</summary>
    public IReadOnlyList<ConsoleLine> Lines()
    {
        lock (_lock)
        {
            return [.. _lines];
        }
    }

    /// <summary>Follows another replica from now on; null follows none.</summary>
    public void Follow(string? resource)
    {
        _ended.Cancel();
        _ended.Dispose();
        _ended = new CancellationTokenSource();
        Clear();
        if (resource is not null)
        {
            _ = FollowAsync(resource, _ended.Token);
        }
    }

    /// <summary>Forgets the lines so far.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _lines.Clear();
        }

        Interlocked.Increment(ref _version);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }

    private async Task FollowAsync(string resource, CancellationToken cancellationToken)
    {
        var last = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var watch = client.WatchConsole(resource, onlyKept: false, cancellationToken);
                await foreach (var update in watch.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    lock (_lock)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        // After a broken connection the kept lines come once more.
                        foreach (var line in update.LogLines.Where(line => line.LineNumber > last))
                        {
                            var text = line.Text.Length > LongestLine ? line.Text[..LongestLine] + "…" : line.Text;
                            _lines.Enqueue(new ConsoleLine(line.LineNumber, text, line.IsStdErr));
                            last = line.LineNumber;
                            if (_lines.Count > Capacity)
                            {
                                _lines.Dequeue();
                            }
                        }
                    }

                    Interlocked.Increment(ref _version);
                }
            }
            catch (Exception exception) when (exception is RpcException or OperationCanceledException)
            {
                // The page has turned to another one, or the host is away: asked again.
            }

            await Task.Delay(BetweenAttempts, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
