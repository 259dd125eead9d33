using System.Globalization;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>Processor time of processes that are not ours to ask, from Linux' own books.</summary>
internal static class ProcessCpu
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10); // USER_HZ is 100 on every Linux

    /// <summary>What a process and its children have used until now, with children that ended.</summary>
    public static TimeSpan OfTree(int root)
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(folder) is { } fields
                && (id == root || fields[1] == root))
                ticks += fields[11] + fields[12] + fields[13] + fields[14];
        }

        return ticks * Tick;
    }

    /// <summary>The load of the machine: how many want to run, on average over the last minute.</summary>
    public static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    // From the third field on: the second is a name in parentheses, which may hold anything.
    private static long[]? Read(string folder)
    {
        try
        {
            var line = File.ReadAllText(Path.Combine(folder, "stat"));
            return [.. line[(line.LastIndexOf(')') + 2)..].Split(' ').Select(field => long.TryParse(field, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
