using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Aspire.Hosting;

namespace OpenHands.Hosting.Publishing.Compose;

/// <summary>Puts in what the manifest's expressions stand for: services by their names, parameters as variables of Compose.</summary>
internal sealed partial class ComposeExpressions(JsonObject resources)
{
    /// <summary>The value with every expression replaced; dollars of its own are doubled.</summary>
    /// <exception cref="DistributedApplicationException">An expression means nothing in Compose.</exception>
    public string Resolve(string value) => string.Concat(Parts(value));

    private IEnumerable<string> Parts(string value)
    {
        var from = 0;
        foreach (Match match in Expression().Matches(value))
        {
            yield return value[from..match.Index].Replace("$", "$$", StringComparison.Ordinal);
            yield return Meaning(match.Groups[1].Value);
            from = match.Index + match.Length;
        }

        yield return value[from..].Replace("$", "$$", StringComparison.Ordinal);
    }

    private string Meaning(string expression)
    {
        var path = expression.Split('.');
        var resource = resources[path[0]];
        return path[1..] switch
        {
            ["bindings", _, "host"] => path[0],
            ["bindings", var binding, "port" or "targetPort"] when resource?["bindings"]?[binding]?["targetPort"] is { } port => port.ToString(),
            ["value"] when (string?)resource?["type"] == "parameter.v0" => Variable(path[0]),
            ["connectionString"] when (string?)resource?["connectionString"] is { } connectionString => Resolve(connectionString),
            _ => throw new DistributedApplicationException($"{{{expression}}} has no meaning in a file for Compose."),
        };
    }

    // Compose stops with this message when the variable is not set.
    private static string Variable(string parameter)
    {
        var name = parameter.Replace('-', '_').ToUpperInvariant();
        return $"${{{name}:?set it in .env beside this file, see docs/deployment.md}}";
    }

    [GeneratedRegex(@"\{([A-Za-z0-9.-]+)\}")]
    private static partial Regex Expression();
}
