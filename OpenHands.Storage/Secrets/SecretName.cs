using System.Text;

namespace OpenHands.Storage.Secrets;

/// <summary>What may be the name, the value and the description of a secret.</summary>
public static class SecretName
{
    /// <summary>Longest value, in bytes of UTF-8.</summary>
    public const int MostValueBytes = 64 * 1024;

    private const int Longest = 256;
    private const int LongestDescription = 2000;

    // A slash would not come back from the path of a request: servers leave %2F there as it is.
    /// <summary>The first thing that is wrong, as a sentence; null for nothing.</summary>
    public static string? Problem(string? name, string? description)
    {
        if (name?.Length is not (> 0 and <= Longest) || name.Any(letter => letter == '/' || char.IsWhiteSpace(letter) || char.IsControl(letter)))
            return $"name must be 1 to {Longest} characters without blanks and slashes.";
        return description?.Length > LongestDescription || description?.Contains('\0') == true
            ? $"description must be at most {LongestDescription} characters without NUL characters."
            : null;
    }

    /// <summary>What is wrong with a value, as a sentence that does not repeat it; null for nothing.</summary>
    public static string? ProblemOfValue(string? value) =>
        // An environment variable, which most values become, ends at a NUL.
        string.IsNullOrEmpty(value) || value.Contains('\0') || Encoding.UTF8.GetByteCount(value) > MostValueBytes
            ? $"value must be text of 1 to {MostValueBytes} bytes without NUL characters."
            : null;
}
