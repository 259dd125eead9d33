using StackExchange.Redis;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>
/// The connection to the master that Sentinels name. A client that is made while none of them answers never follows a failover, so
/// only one that was connected is handed out: whoever asks before is refused soon, and the next one finds the attempt further on.
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
                _attempt = Task.Run(ConnectAsync);
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

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var strict = options();
        strict.AbortOnConnectFail = true;
        return await ConnectionMultiplexer.ConnectAsync(strict);
    }
}
