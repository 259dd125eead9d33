using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Import;

/// <summary>What a single-user OpenHands keeps: settings, secrets, tokens of git providers, metadata of conversations.</summary>
/// <param name="Settings">Fields of settings.json; null without the file.</param>
/// <param name="Secrets">Name → value and description.</param>
/// <param name="Providers">Provider → token and host.</param>
/// <param name="Conversations">Id → metadata.</param>
internal sealed record FileStore(
    JsonObject? Settings, IReadOnlyDictionary<string, (string? Value, string? Description)> Secrets,
    IReadOnlyDictionary<string, (string? Token, string? Host)> Providers, IReadOnlyDictionary<string, JsonObject> Conversations)
{
    /// <summary>Reads a folder.</summary>
    /// <exception cref="OperatorException">Nothing of the kind is there, or a file is no JSON object.</exception>
    public static FileStore Read(string folder)
    {
        var settings = Parse(Path.Combine(folder, "settings.json"));
        var secrets = Parse(Path.Combine(folder, "secrets.json"));
        var conversations = ConversationsIn(folder);
        if (settings is null && secrets is null && conversations.Count == 0)
            throw new OperatorException($"{folder} is no file store of OpenHands: it has neither settings.json nor secrets.json nor conversations.");

        // Older versions kept the secrets inside the settings.
        var older = settings?["secrets_store"] as JsonObject;
        settings?.Remove("secrets_store");
        return new FileStore(
            settings, Custom(older).Concat(Custom(secrets)).GroupBy(found => found.Key).ToDictionary(group => group.Key, group => group.Last().Value),
            Tokens(older).Concat(Tokens(secrets)).GroupBy(found => found.Key).ToDictionary(group => group.Key, group => group.Last().Value), conversations);
    }

    private static IEnumerable<KeyValuePair<string, (string? Value, string? Description)>> Custom(JsonObject? secrets) =>
        from entry in secrets?["custom_secrets"] as JsonObject ?? []
        select KeyValuePair.Create(entry.Key, entry.Value is JsonObject described
            ? (Text(described["secret"]), Text(described["description"]))
            : (Text(entry.Value), (string?)null));

    private static IEnumerable<KeyValuePair<string, (string? Token, string? Host)>> Tokens(JsonObject? secrets) =>
        from entry in secrets?["provider_tokens"] as JsonObject ?? []
        let token = entry.Value is JsonObject described ? (Text(described["token"]), Text(described["host"])) : (Text(entry.Value), (string?)null)
        where !string.IsNullOrWhiteSpace(token.Item1)
        select KeyValuePair.Create(entry.Key, token);

    // Both layouts: sessions/{id}/metadata.json, and {user}/ in front of it.
    private static Dictionary<string, JsonObject> ConversationsIn(string folder)
    {
        var found = new Dictionary<string, JsonObject>();
        foreach (var file in Directory.EnumerateFiles(folder, "metadata.json", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 5, IgnoreInaccessible = true }).Order(StringComparer.Ordinal))
        {
            if (Parse(file) is { } metadata)
                found[Text(metadata["conversation_id"]) ?? Path.GetFileName(Path.GetDirectoryName(file)!)] = metadata;
        }

        return found;
    }

    private static JsonObject? Parse(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new OperatorException($"{path} is no JSON object.");
        }
        catch (JsonException broken)
        {
            // Its message may quote the file, which holds secrets.
            throw new OperatorException($"{path} is no JSON (line {broken.LineNumber + 1}).");
        }
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
