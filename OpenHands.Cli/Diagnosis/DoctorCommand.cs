using System.CommandLine;
using System.Globalization;
using System.Reflection;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Diagnosis;

/// <summary>Looks at everything that an installation needs.</summary>
internal static class DoctorCommand
{
    private const long LeastFreeBytes = 1L << 30;

    /// <summary>Version of this build.</summary>
    public static string Version { get; } = typeof(DoctorCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The verb <c>doctor</c>.</summary>
    public static Command Create(Verbs verbs) => verbs.Verb(
        "doctor", "Looks at clock, disk, versions, key ring, eviction policy, connections and pools, row-level security, roles, workers, queues and audit log, and says what to do. Exit code 1 when something fails.",
        async (work, cancellationToken) =>
        {
            var checks = await RunAsync(work, cancellationToken);
            var text = string.Join('\n', checks.Select(check => $"{check.State.ToString().ToUpperInvariant(),-8} {check.Name}: {check.Message}"));
            return new Outcome(text, checks, checks.All(check => check.State != CheckState.Failed));
        });

    /// <summary>All checks.</summary>
    public static async Task<IReadOnlyList<Check>> RunAsync(Work work, CancellationToken cancellationToken)
    {
        var database = await new DatabaseChecks(work).RunAsync(cancellationToken);
        var redis = new RedisChecks(work);
        var cache = await redis.RunAsync(cancellationToken);
        var folder = work.Installation.AppData ?? Path.GetTempPath();
        return
        [
            new Check("version", CheckState.Ok, $"openhands {Version}, .NET {Environment.Version}, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}"),
            Disk(folder, new DriveInfo(folder).AvailableFreeSpace), .. database, .. await new PoolCheck(work).RunAsync(redis.Apis, cancellationToken), .. cache,
        ];
    }

    /// <summary>Judges the room that is left where a folder lies.</summary>
    internal static Check Disk(string folder, long freeBytes)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{freeBytes / (double)(1L << 30):F1} GiB are free where {folder} lies");
        return Check.Of("disk", freeBytes > LeastFreeBytes, $"{text}.", $"Only {text}: make room before PostgreSQL has to stop.");
    }
}
