using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Elects one of all workers for each duty, by advisory locks of one session: when the process dies, the next one is elected
/// within a fortieth of a second. Duties are safe to be done by two for a moment.
/// </summary>
internal sealed partial class Elections(
    WorkerIdentity me,
    QueueDatabase database,
    IEnumerable<IElectedDuty> duties,
    LastOutage outage,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<Elections> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        while (!stoppingToken.IsCancellationRequested)
        {
            using var term = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var running = new Dictionary<string, Task>();
            try
            {
                await using var session = new NpgsqlConnection(database.Direct(me.SessionName));
                await session.OpenAsync(stoppingToken);
                await EndWithSilenceAsync(session, stoppingToken);
                await Task.WhenAll(duties.Select(duty => duty.PrepareAsync(stoppingToken)));
                await StandAsync(session, running, term.Token);
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure))
            {
                outage.Note();
                LogLost(running.Count, failure.GetType().Name);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The worker stops.
            }

            await term.CancelAsync();
            await Task.WhenAll(running.Values);
            await Task.Delay(AfterFailure, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Whoever is elected asks all the time. The session of a lost host would hold what it was elected for until TCP gives it up, in hours.
    private async Task EndWithSilenceAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        var silence = options.Value.Lease / 5 > ShortestSilence ? options.Value.Lease / 5 : ShortestSilence;
        await using var set = new NpgsqlCommand("SELECT set_config('idle_session_timeout', $1, false)", session);
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = string.Create(CultureInfo.InvariantCulture, $"{silence.TotalMilliseconds:0}ms") });
        await set.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task StandAsync(NpgsqlConnection session, Dictionary<string, Task> running, CancellationToken term)
    {
        while (true)
        {
            var open = duties.SelectMany(duty => duty.Names.Select(name => (Duty: duty, Name: $"{duty.Kind} {name}", Argument: name)))
                .Where(each => !running.ContainsKey(each.Name)).ToList();
            if (open.Count > 0)
            {
                var won = await TryAsync(session, [.. open.Select(each => each.Name)], term);
                foreach (var each in open.Where(each => won.Contains(each.Name)))
                    running.Add(each.Name, Task.Run(() => DoAsync(each.Duty, each.Argument, term), CancellationToken.None));
            }
            else
            {
                // Whoever lost the session without noticing must not go on.
                await TryAsync(session, [], term);
            }

            await Task.Delay(Interval, time, term);
        }
    }

    private static async Task<HashSet<string>> TryAsync(NpgsqlConnection session, string[] names, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand(
            "SELECT name FROM unnest($1) AS n(name) WHERE pg_try_advisory_lock($2, hashtext(name))", session);
        take.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = names });
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = LockSpaces.Elections });
        return [.. await take.TextsAsync(cancellationToken)];
    }

    private async Task DoAsync(IElectedDuty duty, string name, CancellationToken term)
    {
        using var quiet = SuppressInstrumentationScope.Begin();
        while (!term.IsCancellationRequested)
        {
            try
            {
                await duty.DoAsync(name, term);
            }
            catch (OperationCanceledException) when (term.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure) || RedisAbsence.Explains(failure))
            {
                await Task.Delay(AfterFailure, time, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception failure)
            {
                LogFailed(failure, duty.Kind, name);
                await Task.Delay(AfterFailure, time, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(LogLevel.Debug, "The session that {Count} elected duties hang on is lost: {Failure}")]
    private partial void LogLost(int count, string failure);

    [LoggerMessage(LogLevel.Error, "The elected duty {Kind} {Name} failed; it goes on")]
    private partial void LogFailed(Exception failure, string kind, string name);
}

/// <summary>Work that one of all workers does.</summary>
internal interface IElectedDuty
{
    /// <summary>What it is, as the lock's name says it.</summary>
    string Kind { get; }

    /// <summary>For what one each is elected; may change.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Runs before the worker stands for it, so that the first time after an election takes no longer than any other.</summary>
    Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does it until the term ends. A failure does not end the term.</summary>
    Task DoAsync(string name, CancellationToken term);
}
