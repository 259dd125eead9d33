using System.CommandLine;
using System.Globalization;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;

namespace OpenHands.Cli.Keys;

/// <summary>Brings everything stored under the current key of the ring: by the worker, or here.</summary>
internal static class RotateCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WorkerPatience = TimeSpan.FromSeconds(15);

    private static readonly Option<bool> Here = new("--here") { Description = "Do it in this process instead of asking the worker." };
    private static readonly Option<bool> NoWait = new("--no-wait") { Description = "Ask the worker and do not wait for the end." };
    private static readonly Option<int> RowsPerSecond = new("--rows-per-second")
    {
        Description = "Rows per second at most, so that the database is left to the users.",
        DefaultValueFactory = _ => new KeyRotationOptions().RowsPerSecond,
    };

    /// <summary>The verb <c>rotate</c>.</summary>
    public static Command Create(Verbs verbs) => verbs.Verb(
        "rotate",
        "Re-encrypts everything stored under the current key of the ring, while users go on. Every process must have the new key as its current one and the old one beside it. Says at the end which keys may leave the configuration; can be stopped and given again.",
        RunAsync, Here, NoWait, RowsPerSecond);

    private static async Task<Outcome> RunAsync(Work work, CancellationToken cancellationToken)
    {
        var rows = work.Arguments.GetValue(RowsPerSecond);
        if (rows is < 1 or > 100_000)
            throw new OperatorException("--rows-per-second must be 1 to 100000.");

        var keys = work.Installation.Keys;
        await using var system = NpgsqlDataSource.Create(work.Installation.System);
        await DemandCompleteAsync(system, keys, cancellationToken);
        await NoteAsync(system, work, cancellationToken);
        if (work.Arguments.GetValue(Here))
            return Answer(await new KeyRotation(keys, new KeyRotationOptions { RowsPerSecond = rows }, work.Time, new TenantKeys(work.Configuration, work.Time)).RunAsync(system, new Lines(work), cancellationToken));

        var runs = new KeyRotationRuns(system, work.Time);
        var id = await runs.RequestAsync(keys.Current.Id, rows, cancellationToken);
        return work.Arguments.GetValue(NoWait)
            ? new Outcome($"Rotation {id} is requested; 'rotate' without --no-wait shows how far it is.", new { Id = id })
            : await WaitAsync(work, runs, id, cancellationToken);
    }

    private static async Task NoteAsync(NpgsqlDataSource system, Work work, CancellationToken cancellationToken)
    {
        var note = new AuditNote(AuditNote.RotationRequested, work.Installation.Keys.Current.Id, "", null, null);
        await using var connection = await system.OpenConnectionAsync(cancellationToken);
        await AuditInsert.InsertAsync(connection, note.By("operator", new AuditOrigin(null, null, "openhands-cli"), work.Time), cancellationToken);
    }

    private static async Task DemandCompleteAsync(NpgsqlDataSource system, KeyRing keys, CancellationToken cancellationToken)
    {
        await using var select = system.CreateCommand("SELECT id FROM encryption_keys");
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            if (keys.Find(rows.GetString(0)) is null)
                throw new KeyRingMismatchException(rows.GetString(0));
        }
    }

    private static async Task<Outcome> WaitAsync(Work work, KeyRotationRuns runs, string id, CancellationToken cancellationToken)
    {
        var (started, told, shown) = (work.Time.GetTimestamp(), false, -1L);
        while (true)
        {
            var run = await runs.FindAsync(id, cancellationToken) ?? throw new OperatorException($"Rotation {id} is gone: the database was restored meanwhile. Give the command again.");
            if (run.Result is { } result)
                return Answer(result);
            if (run.StartedAt is null && !told && work.Time.GetElapsedTime(started) > WorkerPatience)
            {
                told = true;
                work.Report("No worker has begun yet. One must run with this key as its current one; or stop this and give --here.");
            }

            if (run.Rotated != shown && run.StartedAt is not null)
                work.Report(string.Create(CultureInfo.InvariantCulture, $"{run.Rotated} of {run.Total} rows"));
            shown = run.Rotated;
            await Task.Delay(Poll, work.Time, cancellationToken);
        }
    }

    private static Outcome Answer(KeyRotationResult result)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"Everything is under key {result.CurrentKeyId} now: {result.Rotated} rows were re-encrypted.");
        if (result.Removable.Count > 0)
            text += $"\nNothing uses these keys any more, they may leave Secrets:PreviousKeys of every process: {string.Join(", ", result.Removable)}.";
        if (result.Refused.Count > 0)
            text = $"{result.Rotated} rows were re-encrypted. These cannot be read and were left as they are: {string.Join(", ", result.Refused)}. Keep the old keys; 'doctor' and the audit log help to find out why.";
        return new Outcome(text, result, result.Refused.Count == 0);
    }

    private sealed class Lines(Work work) : IProgress<KeyRotationProgress>
    {
        private long? _at;

        public void Report(KeyRotationProgress value)
        {
            if (_at is { } at && work.Time.GetElapsedTime(at) < TimeSpan.FromSeconds(1))
                return;
            _at = work.Time.GetTimestamp();
            work.Report(string.Create(CultureInfo.InvariantCulture, $"{value.Rotated} of {value.Total} rows ({value.Table})"));
        }
    }
}
