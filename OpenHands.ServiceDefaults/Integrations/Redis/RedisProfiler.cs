using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;
using StackExchange.Redis.Profiling;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>
/// Remembers which activity issued which Redis commands until <see cref="Drain"/> writes them as spans. Bounded: above
/// <see cref="MaxCommands"/> between two drains commands go untraced, and an activity is forgotten when it goes quiet.
/// </summary>
internal sealed class RedisProfiler(TimeProvider time)
{
    internal const int MaxCommands = 10_000;

    /// <summary>Twice the client's default timeout: after that, none of an activity's commands is still on its way.</summary>
    internal static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Activity, Issuer> _issuers = new();
    private readonly Issuer _nobody = new(default);
    private int _commands;

    /// <summary>How many activities are remembered.</summary>
    internal int IssuerCount => _issuers.Count;

    /// <summary>The client asks this on the caller's thread for every command; null leaves the command untraced.</summary>
    public ProfilingSession? Session()
    {
        var activity = Activity.Current;
        if (!RedisSpans.Source.HasListeners() || Sdk.SuppressInstrumentation || activity is { IsAllDataRequested: false })
            return null;
        if (Interlocked.Increment(ref _commands) > MaxCommands)
            return null;

        var issuer = activity is null ? _nobody : _issuers.GetOrAdd(activity, static key => new Issuer(key.Context));
        issuer.LastIssuedAt = time.GetTimestamp();
        return issuer.Session;
    }

    /// <summary>Writes what has finished since the last call; returns how many commands went untraced meanwhile.</summary>
    public int Drain()
    {
        var untraced = Math.Max(0, Interlocked.Exchange(ref _commands, 0) - MaxCommands);
        // A span without a parent must not become the child of whatever runs here.
        Activity.Current = null;
        Write(_nobody);
        foreach (var (activity, issuer) in _issuers)
        {
            var isQuiet = time.GetElapsedTime(issuer.LastIssuedAt) >= QuietTime;
            Write(issuer);
            if (isQuiet)
                _issuers.TryRemove(activity, out _);
        }
        return untraced;
    }

    private static void Write(Issuer issuer)
    {
        foreach (var command in issuer.Session.FinishProfiling())
            RedisSpans.Write(command, issuer.Context);
    }

    private sealed class Issuer(ActivityContext context)
    {
        private long _lastIssuedAt;

        public ActivityContext Context { get; } = context;

        public ProfilingSession Session { get; } = new();

        public long LastIssuedAt
        {
            get => Volatile.Read(ref _lastIssuedAt);
            set => Volatile.Write(ref _lastIssuedAt, value);
        }
    }
}
