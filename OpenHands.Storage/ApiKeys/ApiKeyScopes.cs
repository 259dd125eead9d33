namespace OpenHands.Storage.ApiKeys;

/// <summary>What a key may be used for: an area and <c>read</c> or <c>write</c>, such as <c>sessions:read</c>. Writing includes reading.</summary>
public static class ApiKeyScopes
{
    /// <summary>The caller's own settings and profile.</summary>
    public const string Settings = "settings";

    /// <summary>Secrets and tokens of git providers.</summary>
    public const string Secrets = "secrets";

    /// <summary>Saved sessions.</summary>
    public const string Sessions = "sessions";

    /// <summary>Organizations, their members and what they give.</summary>
    public const string Organizations = "organizations";

    /// <summary>API keys themselves.</summary>
    public const string Keys = "keys";

    private static readonly string[] Areas = [Settings, Secrets, Sessions, Organizations, Keys];

    /// <summary>Every scope there is.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Areas.SelectMany(area => new[] { $"{area}:read", $"{area}:write" })];

    /// <summary>Whether a key with these scopes may do that.</summary>
    /// <param name="granted">Scopes of the key.</param>
    /// <param name="area">One of the areas.</param>
    /// <param name="writes">Whether something is changed.</param>
    public static bool Allow(IEnumerable<string> granted, string area, bool writes) =>
        granted.Any(scope => scope == $"{area}:write" || (!writes && scope == $"{area}:read"));

    /// <summary>Whether a key with the granted scopes may make one with the asked ones: never with more than its own.</summary>
    public static bool Cover(IReadOnlyCollection<string> granted, IEnumerable<string> asked) =>
        asked.All(scope => scope.Split(':') is [var area, var way] && Allow(granted, area, way == "write"));
}
