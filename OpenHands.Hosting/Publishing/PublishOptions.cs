using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace OpenHands.Hosting.Publishing;

/// <summary>What the command line says about publishing, in Aspire's own options.</summary>
/// <param name="Operation">Run or publish; null follows from the publisher.</param>
/// <param name="Publisher">The publisher.</param>
/// <param name="Step">The one step to take.</param>
/// <param name="OutputPath">The file or folder to write to; null is the current folder.</param>
internal sealed record PublishOptions(string? Operation, string? Publisher, string? Step, string? OutputPath)
{
    private const string Manifest = "manifest";
    private const string ManifestStep = "publish-manifest";
    private const string Compose = "compose";
    private const string FileName = "aspire-manifest.json";
    private const string ComposeFileName = "docker-compose.yml";

    /// <summary>The options and the configuration keys they set.</summary>
    public static readonly IReadOnlyDictionary<string, string> Switches = new Dictionary<string, string>
    {
        ["--operation"] = "AppHost:Operation",
        ["--publisher"] = "Publishing:Publisher",
        ["--step"] = "Pipeline:Step",
        ["--output-path"] = "Pipeline:OutputPath",
    };

    /// <summary>What is wrong with the way the options are used; null if nothing is.</summary>
    public string? Mistake { get; private init; }

    /// <summary>True when the application is to be published instead of run.</summary>
    public bool Publishes => Operation is null ? Publisher is not null : Is(Operation, "publish");

    /// <summary>The absolute path of the manifest's file: a path that does not end in <c>.json</c> is a folder.</summary>
    public string ManifestPath
    {
        get
        {
            var path = Path.GetFullPath(OutputPath ?? FileName);
            return path.EndsWith(".json", StringComparison.Ordinal) && !Directory.Exists(path) ? path : Path.Combine(path, FileName);
        }
    }

    /// <summary>True when a file for Docker Compose is asked for, which only the embedded host writes.</summary>
    public bool AsksForCompose => Is(Publisher ?? "", Compose);

    /// <summary>The absolute path of the file for Docker Compose: a path that does not end in <c>.yml</c> or <c>.yaml</c> is a folder.</summary>
    public string ComposePath
    {
        get
        {
            var path = Path.GetFullPath(OutputPath ?? ComposeFileName);
            return Path.GetExtension(path) is ".yml" or ".yaml" && !Directory.Exists(path) ? path : Path.Combine(path, ComposeFileName);
        }
    }

    /// <summary>Reads the options from the configuration that <see cref="Switches"/> were added to.</summary>
    public static PublishOptions Read(IConfiguration configuration, IReadOnlyList<string> arguments)
    {
        var options = new PublishOptions(
            configuration[Switches["--operation"]], configuration[Switches["--publisher"]],
            configuration[Switches["--step"]], configuration[Switches["--output-path"]]);
        return options with { Mistake = MissingValue(arguments) ?? options.FindMistake() };
    }

    /// <summary>Refuses what only the real Aspire publishes.</summary>
    /// <exception cref="DistributedApplicationException">Another publisher or step is asked for.</exception>
    public void RequireKnownPublisher()
    {
        var other = Publisher is not null && !Is(Publisher, Manifest) && !AsksForCompose ? $"--publisher {Publisher}"
            : Step is not null && (Step != ManifestStep || AsksForCompose) ? $"--step {Step}"
            : null;
        if (other is not null)
        {
            throw new DistributedApplicationException(
                $"{other} is not known to the embedded host, which has --publisher {Manifest} (or --step {ManifestStep}) and --publisher {Compose}. "
                + "For others use the real Aspire: add -p:AspireHosting=packages to the dotnet command.");
        }
    }

    private static string? MissingValue(IReadOnlyList<string> arguments)
    {
        // The configuration passes over an option without a value, and the application would run instead.
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, separator) = arguments[i].Split('=', 2) is [var before, var after] ? (before, after) : (arguments[i], null);
            var value = separator ?? arguments.ElementAtOrDefault(i + 1);
            if (Switches.Keys.Any(option => Is(option, name)) && (string.IsNullOrWhiteSpace(value) || (separator is null && value.StartsWith("--", StringComparison.Ordinal))))
            {
                return $"{name} needs a value.";
            }
        }

        return null;
    }

    private static bool Is(string text, string expected) => string.Equals(text, expected, StringComparison.OrdinalIgnoreCase);

    private string? FindMistake()
    {
        if (Operation is not null && !Is(Operation, "publish") && !Is(Operation, "run"))
        {
            return $"--operation {Operation} is not known; it is run or publish.";
        }

        if (Publishes)
        {
            return Publisher is null && Step is null ? $"--operation publish needs --publisher {Manifest}, --step {ManifestStep} or --publisher {Compose}." : null;
        }

        var publishing = (Publisher, Step, OutputPath) switch
        {
            ({ }, _, _) => "--publisher",
            (_, { }, _) => "--step",
            (_, _, { }) => "--output-path",
            _ => null,
        };
        return publishing is null ? null : $"{publishing} belongs to publishing; to publish, add --operation publish --publisher {Manifest}.";
    }
}
