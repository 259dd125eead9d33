namespace OpenHands.Storage.Organizations;

/// <summary>What may be the name of an organization.</summary>
public static class OrganizationName
{
    /// <summary>Longest name, in characters.</summary>
    public const int Longest = 255;

    /// <summary>The rule as a sentence; completes "… must be".</summary>
    public const string Expected = "1 to 255 characters on one line";

    /// <summary>The name without blanks around it; null when it cannot be one.</summary>
    public static string? Read(string? text)
    {
        var name = text?.Trim();
        return name?.Length is > 0 and <= Longest && !name.Any(char.IsControl) ? name : null;
    }
}
