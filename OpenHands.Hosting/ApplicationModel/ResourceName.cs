namespace Aspire.Hosting.ApplicationModel;

/// <summary>The rules for names of resources and endpoints.</summary>
internal static class ResourceName
{
    private const int MaximumLength = 64;

    /// <summary>Returns the name if it keeps the rules.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long, or has a character that is not allowed.</exception>
    public static string Validated(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > MaximumLength)
        {
            throw new ArgumentException($"Resource name '{name}' is longer than {MaximumLength} characters.", nameof(name));
        }

        var wellFormed = char.IsAsciiLetter(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            && !name.Contains("--", StringComparison.Ordinal)
            && !name.EndsWith('-');
        return wellFormed
            ? name
            : throw new ArgumentException(
                $"Resource name '{name}' must start with a letter, hold only ASCII letters, digits and hyphens, and have no double or trailing hyphen.",
                nameof(name));
    }
}
