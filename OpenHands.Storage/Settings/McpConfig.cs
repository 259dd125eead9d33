using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OpenHands.Storage.Settings;

/// <summary>The tool servers (Model Context Protocol) of a user. Their keys are secrets: shown masked, stored only encrypted.</summary>
internal sealed record McpConfig(
    IReadOnlyList<McpRemoteServer> SseServers, IReadOnlyList<McpStdioServer> StdioServers, IReadOnlyList<McpRemoteServer> ShttpServers)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Reads back what <see cref="ToJson"/> wrote.</summary>
    public static McpConfig Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<McpConfig>(json, Json) ?? throw new JsonException("The stored tool servers are null.");

    /// <summary>Everything, keys included: only to be encrypted.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>What may be shown: a mask in place of every key and of every value of an environment.</summary>
    public JsonNode? ToMaskedJson() => JsonSerializer.SerializeToNode(
        new McpConfig([.. SseServers.Select(Masked)], [.. StdioServers.Select(Masked)], [.. ShttpServers.Select(Masked)]), Json);

    /// <summary>Puts the stored key in the place of every posted mask; a mask that stands for nothing is a problem.</summary>
    public McpConfig WithKept(McpConfig? stored, List<FieldProblem> problems) => new(
        WithKept(nameof(SseServers), SseServers, stored?.SseServers ?? [], problems),
        [.. StdioServers.Select(server => WithKept(server, stored?.StdioServers.FirstOrDefault(other => other.Name == server.Name), problems))],
        WithKept(nameof(ShttpServers), ShttpServers, stored?.ShttpServers ?? [], problems));

    private static McpRemoteServer Masked(McpRemoteServer server) =>
        server.ApiKey is null ? server : server with { ApiKey = SettingsChanges.Mask };

    private static McpStdioServer Masked(McpStdioServer server) =>
        server with { Env = server.Env.ToDictionary(variable => variable.Key, _ => SettingsChanges.Mask) };

    private static McpRemoteServer[] WithKept(
        string list, IReadOnlyList<McpRemoteServer> posted, IReadOnlyList<McpRemoteServer> stored, List<FieldProblem> problems)
    {
        return [.. posted.Select(WithKeptKey)];

        McpRemoteServer WithKeptKey(McpRemoteServer server, int index)
        {
            if (server.ApiKey != SettingsChanges.Mask)
                return server;
            if (Kept(server.Url, index) is { } key)
                return server with { ApiKey = key };

            problems.Add(new($"{SettingsFields.McpConfig}.{JsonNamingPolicy.SnakeCaseLower.ConvertName(list)}[{index}].api_key", KeyAgain));
            return server;
        }

        // The address may stand in the list more than once, with different keys: then the order decides, as long as the number is the same.
        string? Kept(string url, int index)
        {
            var keys = stored.Where(server => server.Url == url).Select(server => server.ApiKey).ToList();
            if (keys.Count == 0)
                return Edited(url, index)?.ApiKey;
            if (keys.Distinct().Count() <= 1)
                return keys.FirstOrDefault();
            return keys.Count == posted.Count(server => server.Url == url)
                ? keys[posted.Take(index).Count(server => server.Url == url)]
                : null;
        }

        // The form changes an entry in its place. Its key goes along on the same host, and never to another one.
        McpRemoteServer? Edited(string url, int index) =>
            stored.Count == posted.Count && stored[index] is var former && posted.All(server => server.Url != former.Url) && IsSameHost(former.Url, url)
                ? former
                : null;
    }

    private static bool IsSameHost(string one, string other) =>
        Uri.TryCreate(one, UriKind.Absolute, out var from) && Uri.TryCreate(other, UriKind.Absolute, out var to)
        && Uri.Compare(from, to, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static McpStdioServer WithKept(McpStdioServer server, McpStdioServer? stored, List<FieldProblem> problems)
    {
        return server with { Env = server.Env.ToDictionary(variable => variable.Key, variable => Kept(variable.Key, variable.Value)) };

        string Kept(string name, string value)
        {
            if (value != SettingsChanges.Mask)
                return value;
            if (stored?.Env.TryGetValue(name, out var kept) == true)
                return kept;
            problems.Add(new($"{SettingsFields.McpConfig}.stdio_servers: a masked variable of a server", KeyAgain));
            return value;
        }
    }

    private const string KeyAgain = "entered again: no key is stored for this entry";
}

/// <summary>A tool server reached by HTTP: server-sent events, or streamable (which alone has a timeout, in seconds).</summary>
internal sealed record McpRemoteServer(
    string Url, string? ApiKey, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Timeout = null);

/// <summary>A tool server that is started as a process. The values of its environment are treated as keys.</summary>
internal sealed record McpStdioServer(string Name, string Command, IReadOnlyList<string> Args, IReadOnlyDictionary<string, string> Env);
