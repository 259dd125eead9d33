using System.Globalization;

namespace OpenHands.Dashboard.Components;

/// <summary>Times, durations and numbers as pages write them.</summary>
internal static class Show
{
    /// <summary>A moment of the machine the dashboard runs on: the user's own.</summary>
    public static string Time(DateTime utc, bool precise = false) =>
        TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(utc, DateTimeKind.Utc), TimeZoneInfo.Local)
            .ToString(precise ? "HH:mm:ss.fff" : "HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A moment that may lie days back, on the same clock.</summary>
    public static string Moment(DateTimeOffset moment) =>
        TimeZoneInfo.ConvertTime(moment, TimeZoneInfo.Local).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How long something took, in the unit that fits.</summary>
    public static string Duration(TimeSpan duration) => duration.TotalSeconds switch
    {
        >= 3600 => $"{duration.TotalHours:0.#} h",
        >= 60 => $"{duration.TotalMinutes:0.#} min",
        >= 1 => $"{duration.TotalSeconds:0.##} s",
        >= 0.001 => $"{duration.TotalMilliseconds:0.##} ms",
        _ => $"{duration.TotalMicroseconds:0.#} µs",
    };

    /// <summary>A number with as many digits as can be read.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e12 or < 1e-4 => value.ToString("0.###e0", CultureInfo.InvariantCulture),
        >= 1000 => value.ToString("#,0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>A number with its unit: bytes and seconds in the multiple that fits, counts in braces as words.</summary>
    public static string Quantity(double value, string unit) => unit switch
    {
        "s" => Duration(TimeSpan.FromSeconds(Math.Clamp(value, 0, 1e9))),
        "ms" => Duration(TimeSpan.FromMilliseconds(Math.Clamp(value, 0, 1e12))),
        "By" => Bytes(value),
        "" or "1" => Number(value),
        ['{', .. var word, '}'] => $"{Number(value)} {word}",
        _ => $"{Number(value)} {unit}",
    };

    /// <summary>The first characters of an id.</summary>
    public static string Short(string id) => id.Length > 7 ? id[..7] : id;

    private static string Bytes(double value)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB"];
        var i = 0;
        for (; Math.Abs(value) >= 1000 && i < units.Length - 1; i++)
        {
            value /= 1000;
        }

        return $"{value.ToString("0.#", CultureInfo.InvariantCulture)} {units[i]}";
    }
}
