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
    public static IReadOnlyList<string> All { get; } = [.. Areas.SelectMany(area => new[] { Reading(area), Writing(area) })];

    /// <summary>The scope that lets a key read in an area.</summary>
    public static string Reading(string area) => $"{area}:read";

    /// <summary>The scope that lets a key write in an area, and read.</summary>
    public static string Writing(string area) => $"{area}:write";

    /// <summary>Whether a key with these scopes may do that.</summary>
    /// <param name="granted">Scopes of the key.</param>
    /// <param name="area">One of the areas.</param>
    /// <param name="writes">Whether something is changed.</param>
    public static bool Allow(IEnumerable<string> granted, string area, bool writes) =>
        granted.Any(scope => scope == Writing(area) || (!writes && scope == Reading(area)));

    /// <summary>Whether a key with the granted scopes may make one with the asked ones: never with more than its own.</summary>
    public static bool Cover(IReadOnlyCollection<string> granted, IEnumerable<string> asked) =>
        asked.All(scope => scope.Split(':') is [var area, var way] && Allow(granted, area, way == "write"));
}
