using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>The rules of queues, read again every second.</summary>
internal sealed class QueueRulebook(QueueRules rules, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1);
    private IReadOnlyDictionary<string, QueueRule> _rules = new Dictionary<string, QueueRule>();
    private long _readAt;

    /// <summary>The rule of a queue; null for none.</summary>
    public async Task<QueueRule?> FindAsync(string queue, CancellationToken cancellationToken)
    {
        if (IsOld)
        {
            await _reading.WaitAsync(cancellationToken);
            try
            {
                if (IsOld)
                    (_rules, _readAt) = (await rules.ReadAsync(cancellationToken), time.GetTimestamp());
            }
            finally
            {
                _reading.Release();
            }
        }

        return _rules.GetValueOrDefault(queue);
    }

    /// <inheritdoc />
    public void Dispose() => _reading.Dispose();

    private bool IsOld => _readAt == 0 || time.GetElapsedTime(_readAt) > Age;
}
