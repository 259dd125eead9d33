using System.Globalization;

namespace OpenHands.Api.Http;

/// <summary>The ETag of a row: its version (RFC 9110, strong).</summary>
internal static class EntityTag
{
    /// <summary>Matches no row: versions begin at 1.</summary>
    public const long Unknown = 0;

    /// <summary>The tag of a version.</summary>
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>The version that an If-Match header names; null for `*` and where there is no header, <see cref="Unknown"/> for a tag that we never gave.</summary>
    public static long? Read(string? ifMatch) => ifMatch?.Trim() switch
    {
        null or "*" => null,
        ['"', .. var digits, '"'] when long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) => version,
        _ => Unknown,
    };
}
