using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using OpenHands.Hosting.Publishing.Compose;

namespace OpenHands.Hosting.Terminal;

/// <summary>
/// What <c>--help</c> prints: the options of the AppHost (section <c>Help</c> of its settings file), its parameters, and
/// those of the embedded host itself.
/// </summary>
internal static class HelpText
{
    private const int NameWidth = 38;

    private static readonly (string Name, string Text)[] HostOptions =
    [
        ("--Data:Directory=<folder>", "where data and generated passwords are kept (root: /var/lib/openhands, else $XDG_DATA_HOME/openhands or ~/.local/share/openhands)"),
        ("--Data:Throwaway=true", "keep nothing: data and generated passwords end with the run"),
        ("--Cache:Directory=<folder>", "where downloaded servers are kept (root: /var/cache/openhands, else $XDG_CACHE_HOME/openhands or ~/.cache/openhands)"),
        ("--Postgres:Source=<source>", "auto (default: the newest installed, else downloaded), provisioned (always downloaded), or a folder with postgres and initdb"),
        ("--Redis:Source=<source>", "auto, provisioned, or a folder with redis-server"),
        ("--Host:GracePeriod=<hh:mm:ss>", "how long a project may take to stop before it is killed (default 00:00:30)"),
        ("--publisher manifest", "write the manifest that aspirate and azd read instead of running; --output-path <file or folder> says where (default ./aspire-manifest.json)"),
        ("--publisher compose", $"write a file for Docker Compose instead of running; --output-path <folder> says where, and has {ComposeAdditions.FileName}"),
        ("--Dashboard:Enabled=false", "start no dashboard, and send telemetry nowhere unless told where"),
        ("--Dashboard:Command=<command>", "start this dashboard instead of ours, such as \"dotnet /opt/aspire/Aspire.Dashboard.dll\""),
        ("--Dashboard:Url=<url>", "start none: one runs there already, and asks this host at ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL (default http://localhost:18891)"),
        ("--Dashboard:ResourceServiceApiKey=<key>", "the key that dashboard asks with; required with --Dashboard:Url"),
        ("--Dashboard:OtlpEndpoint=<url>", "send logs, traces and metrics (OTLP over gRPC) there instead of to the dashboard; --Dashboard:OtlpApiKey=<key> goes with them"),
    ];

    public static IEnumerable<string> Lines(string applicationName, DistributedApplicationModel model, IConfiguration configuration)
    {
        yield return $"{applicationName}: runs the application on this machine until Ctrl+C (embedded host).";
        yield return "";
        yield return $"Usage: dotnet run --project {applicationName} [-- option…]";
        yield return "";
        yield return "Options (also as environment variables, with __ for the colon):";
        foreach (var option in configuration.GetSection("Help").GetChildren())
        {
            yield return Line($"--{option["Option"]}", option["Text"] ?? "");
        }

        foreach (var parameter in model.Resources.OfType<ParameterResource>())
        {
            var @default = parameter.Default is null ? "required" : "generated once and kept with the data unless set";
            yield return Line($"--Parameters:{parameter.Name}=<{(parameter.Secret ? "secret" : "value")}>", $"{parameter.Description ?? "parameter"} ({@default})");
        }

        foreach (var (name, text) in HostOptions)
        {
            yield return Line(name, text);
        }

        yield return Line("--help", "print this");
    }

    private static string Line(string name, string text) => $"  {name.PadRight(NameWidth)} {text}";
}
