using StackExchange.Redis;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>
/// The connection to the master that Sentinels name. The client gives up at once when they name none, whatever it was told about
/// waiting; so that a service outlives that, the attempt goes on in the background, and whoever asks meanwhile is refused soon.
/// </summary>
/// <param name="options">Makes the options anew for every attempt: the client writes the servers it found into them.</param>
internal sealed class SentinelConnection(Func<ConfigurationOptions> options)
{
    // Only who asks first waits for the attempt; the others have something to fall back on.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task<ConnectionMultiplexer>? _attempt;

    /// <summary>The connection.</summary>
    /// <exception cref="RedisConnectionException">There is none yet.</exception>
    public ConnectionMultiplexer Take(string service)
    {
        Task<ConnectionMultiplexer> attempt;
        bool isFirst;
        lock (_gate)
        {
            isFirst = _attempt is null;
            if (_attempt is null or { IsFaulted: true } or { IsCanceled: true })
                _attempt = Task.Run(() => ConnectionMultiplexer.ConnectAsync(options()));
            attempt = _attempt;
        }

        if (isFirst)
            Task.WaitAny([attempt], Patience);
        return attempt.IsCompletedSuccessfully
            ? attempt.Result
            : throw new RedisConnectionException(
                ConnectionFailureType.UnableToConnect,
                CommandFlags.None,
                $"No Sentinel has named a master of '{service}' yet: {attempt.Exception?.GetBaseException().Message ?? "they are still asked"}",
                attempt.Exception?.GetBaseException());
    }
}
