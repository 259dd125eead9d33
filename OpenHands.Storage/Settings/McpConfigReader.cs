using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OpenHands.Storage.Settings;

/// <summary>Reads posted tool servers. Unlike in the rest of the settings, a member that is not known is refused.</summary>
internal static partial class McpConfigReader
{
    private const int MostServers = 100;
    private const int MostArguments = 200;
    private const int LongestText = 8192;
    private const int DefaultTimeout = 60;
    private const int LongestTimeout = 3600;

    private static readonly string[] Schemes = ["http", "https", "ws", "wss"];

    /// <summary>The servers with every member filled in. What is wrong goes into <paramref name="problems"/>; the result is then of no use.</summary>
    public static McpConfig Read(JsonNode posted, List<FieldProblem> problems)
    {
        var reader = new JsonMembers(SettingsFields.McpConfig, posted, problems, "sse_servers", "stdio_servers", "shttp_servers");
        var stdio = reader.Items("stdio_servers", MostServers).Select(ReadStdio).ToList();
        if (stdio.Select(server => server.Name).Distinct().Count() < stdio.Count)
            problems.Add(new($"{SettingsFields.McpConfig}.stdio_servers", "a list in which every name stands only once"));

        return new McpConfig(
            [.. reader.Items("sse_servers", MostServers).Select(item => ReadRemote(item, hasTimeout: false))],
            stdio,
            [.. reader.Items("shttp_servers", MostServers).Select(item => ReadRemote(item, hasTimeout: true))]);

        McpRemoteServer ReadRemote((string Path, JsonNode? Node) item, bool hasTimeout)
        {
            // A bare text is the address.
            var node = item.Node is JsonValue ? new JsonObject { ["url"] = item.Node.DeepClone() } : item.Node;
            string[] known = hasTimeout ? ["url", "api_key", "timeout"] : ["url", "api_key"];
            var server = new JsonMembers(item.Path, node, problems, known);
            var url = server.Text("url", 2048, IsAddress, "an address with http, https, ws or wss and a host");
            var key = server.OptionalText("api_key", SettingsFields.LongestKey);
            var timeout = hasTimeout ? server.Whole("timeout", 1, LongestTimeout) ?? DefaultTimeout : (int?)null;
            return new McpRemoteServer(url, string.IsNullOrWhiteSpace(key) ? null : key.Trim(), timeout);
        }

        McpStdioServer ReadStdio((string Path, JsonNode? Node) item)
        {
            var server = new JsonMembers(item.Path, item.Node, problems, "name", "command", "args", "env");
            return new McpStdioServer(
                server.Text("name", 256, name => NamePattern().IsMatch(name), "letters, digits, _ and -"),
                server.Text("command", 2048, command => command.Length > 0 && !command.Any(char.IsWhiteSpace), "a command without blanks"),
                server.Texts("args", MostArguments, LongestText),
                server.TextMap("env", MostArguments, LongestText));
        }
    }

    private static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address)
        && Schemes.Contains(address.Scheme)
        && address.Host.Length > 0
        && !text.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter));

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+\z")]
    private static partial Regex NamePattern();
}
