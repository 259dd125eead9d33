using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace OpenHands.Storage.Caching;

/// <summary>An entry as CacheRead.lua gives it.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Age">How old it is; less than nothing when the clock was set back.</param>
/// <param name="Now">Redis' time, ms.</param>
internal readonly record struct FoundEntry(CacheEntry Entry, TimeSpan Age, long Now)
{
    private const int TimeBytes = 6;

    /// <summary>Reads what follows the letter: the time and <c>V{ms} {version} {payload}</c>.</summary>
    public static FoundEntry Read(ReadOnlySpan<byte> answer)
    {
        var now = ((long)BinaryPrimitives.ReadUInt16BigEndian(answer) << 32) | BinaryPrimitives.ReadUInt32BigEndian(answer[2..]);
        var rest = answer[(TimeBytes + 1)..];
        var stamp = Number(ref rest);
        var version = Number(ref rest);
        return new FoundEntry(new CacheEntry(version, Encoding.UTF8.GetString(rest)), TimeSpan.FromMilliseconds(now - stamp), now);
    }

    private static long Number(ref ReadOnlySpan<byte> text)
    {
        if (!Utf8Parser.TryParse(text, out long number, out var length))
            throw new FormatException("An entry of the cache cannot be read.");
        text = text[(length + 1)..];
        return number;
    }
}
