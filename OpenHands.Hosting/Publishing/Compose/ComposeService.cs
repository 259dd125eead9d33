using System.Text.Json.Nodes;
using Aspire.Hosting;

namespace OpenHands.Hosting.Publishing.Compose;

/// <summary>One service of a file for Compose: an entry of the manifest and its additions.</summary>
internal sealed class ComposeService(string name, JsonObject resource, ComposeAdditions all, ComposeExpressions expressions)
{
    private readonly ComposeServiceAdditions _additions = all.Of(name);

    /// <summary>Writes it.</summary>
    /// <exception cref="DistributedApplicationException">A volume of the model has no name in the additions.</exception>
    public void Write(ComposeYaml yaml, IEnumerable<(string Service, string Condition)> dependencies)
    {
        yaml.Section(1, name);
        yaml.Value(2, "image", Image());
        yaml.Value(2, "restart", _additions.Restart);
        if ((string?)resource["entrypoint"] is { } entrypoint)
            yaml.List(2, "entrypoint", [Literal(entrypoint)]);
        yaml.List(2, "command", _additions.Command ?? [.. Strings("args").Select(Literal)]);
        yaml.Map(2, "environment", Environment());
        yaml.List(2, "ports", _additions.Ports);
        yaml.List(2, "volumes", Volumes());
        if (_additions.Healthcheck is { } command)
        {
            yaml.Section(2, "healthcheck");
            yaml.List(3, "test", ["CMD-SHELL", Literal(command)]);
            yaml.Map(3, [new("interval", "2s"), new("timeout", "5s"), new("retries", "30")]);
        }

        var waits = dependencies.ToList();
        if (waits.Count > 0)
            yaml.Section(2, "depends_on");
        foreach (var (service, condition) in waits)
        {
            yaml.Section(3, service);
            yaml.Value(4, "condition", condition);
        }
    }

    // A project's image is called after the last word of its name: `dotnet publish` gives it that name.
    private string Image() => (string?)resource["image"]
        ?? $"{all.Images}/{Path.GetFileNameWithoutExtension((string)resource["path"]!).Split('.')[^1].ToLowerInvariant()}:{all.Tag}";

    private IEnumerable<KeyValuePair<string, string>> Environment() =>
        (resource["env"]?.AsObject() ?? [])
            .Where(variable => !_additions.Environment.ContainsKey(variable.Key))
            .Select(variable => KeyValuePair.Create(variable.Key, expressions.Resolve((string)variable.Value!)))
            .Concat(_additions.Environment);

    private IReadOnlyList<string> Volumes()
    {
        foreach (var volume in resource["volumes"]?.AsArray() ?? [])
        {
            var target = (string)volume!["target"]!;
            if (!_additions.Volumes.Any(addition => addition.EndsWith($":{target}", StringComparison.Ordinal)))
                throw new DistributedApplicationException($"{ComposeAdditions.FileName} has no name for the volume of service '{name}' at {target}.");
        }

        return _additions.Volumes;
    }

    private IEnumerable<string> Strings(string member) => (resource[member]?.AsArray() ?? []).Select(value => (string)value!);

    // Compose would take a dollar for one of its own variables.
    private static string Literal(string text) => text.Replace("$", "$$", StringComparison.Ordinal);
}
