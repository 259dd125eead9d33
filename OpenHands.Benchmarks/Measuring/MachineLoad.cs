namespace OpenHands.Benchmarks.Measuring;

/// <summary>What else the machine does.</summary>
internal static class MachineLoad
{
    /// <summary>How many want to run, on average over the last minute.</summary>
    public static string Now() => File.ReadAllText("/proc/loadavg").Split(' ')[0];
}
