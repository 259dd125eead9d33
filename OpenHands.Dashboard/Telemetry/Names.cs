using System.Collections.Concurrent;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>Keeps one copy of names that come again and again, such as those of attributes; of a flood of names, none.</summary>
internal static class Names
{
    private const int Most = 4096;
    private static readonly ConcurrentDictionary<string, string> Known = new();
    private static int _count;

    /// <summary>The copy that everybody shares.</summary>
    public static string Shared(string name)
    {
        if (Known.TryGetValue(name, out var shared))
        {
            return shared;
        }

        return Volatile.Read(ref _count) < Most && Known.TryAdd(name, name) && Interlocked.Increment(ref _count) > 0 ? name : name;
    }
}
