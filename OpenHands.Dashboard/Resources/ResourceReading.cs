using Google.Protobuf.WellKnownTypes;
using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Dashboard.Resources;

/// <summary>What a page says of a resource.</summary>
internal static class ResourceReading
{
    private const string Running = "Running";

    /// <summary>The replicas of one resource that are told apart by their names: null when there is one only.</summary>
    public static string Label(this Resource resource, IReadOnlyList<Resource> all) =>
        all.Count(other => other.DisplayName == resource.DisplayName) > 1 ? resource.Name : resource.DisplayName;

    /// <summary>The state with the health, as people say it.</summary>
    public static string Health(this Resource resource) => resource.State switch
    {
        "" => "Unknown",
        Running when resource.HealthReports.Count == 0 => Running,
        Running => $"{Running} ({Worst(resource)})",
        _ when resource.Number("resource.exitCode") is { } code && code != 0 => $"{resource.State} (exit code {code})",
        _ => resource.State,
    };

    /// <summary>How to colour the state: good, busy, bad or idle.</summary>
    public static string Tone(this Resource resource) => resource.State switch
    {
        Running => Worst(resource) is "Healthy" ? "good" : Worst(resource) == "Not checked" ? "busy" : "bad",
        "Active" or "Finished" => "good",
        "Starting" or "Waiting" or "Stopping" or "Building" => "busy",
        "FailedToStart" or "RuntimeUnhealthy" => "bad",
        _ when resource.StateStyle == "error" => "bad",
        _ => "idle",
    };

    /// <summary>Where it comes from: project file, program, or image.</summary>
    public static string Source(this Resource resource) =>
        Path.GetFileName(resource.Text("project.path") ?? resource.Text("executable.path") ?? "") is { Length: > 0 } file
            ? string.Join(' ', Arguments(resource).Prepend(file))
            : resource.Text("container.image") ?? "";

    /// <summary>A property as text; null when there is none.</summary>
    public static string? Text(this Resource resource, string name) =>
        resource.Properties.FirstOrDefault(property => property.Name == name)?.Value is { } value ? Write(value) : null;

    /// <summary>A property as a number; null when there is none.</summary>
    public static double? Number(this Resource resource, string name) =>
        resource.Properties.FirstOrDefault(property => property.Name == name)?.Value is { KindCase: Value.KindOneofCase.NumberValue } value ? value.NumberValue : null;

    /// <summary>What a property is called on the page.</summary>
    public static string Title(this ResourceProperty property) => property.HasDisplayName ? property.DisplayName : property.Name switch
    {
        "executable.path" => "Program",
        "executable.workDir" => "Working directory",
        "executable.pid" => "Process id",
        "resource.appArgs" => "Arguments",
        "resource.connectionString" => "Connection string",
        "resource.parentName" => "Parent",
        "resource.exitCode" => "Exit code",
        "project.path" => "Project",
        _ => property.Name,
    };

    /// <summary>A value as text.</summary>
    public static string Write(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.StringValue => value.StringValue,
        Value.KindOneofCase.NumberValue => value.NumberValue.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        Value.KindOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        Value.KindOneofCase.ListValue => string.Join(' ', value.ListValue.Values.Select(Write)),
        _ => "",
    };

    private static IEnumerable<string> Arguments(Resource resource) =>
        resource.ResourceType == "Project" && resource.Text("resource.appArgs") is { Length: > 0 } arguments ? [arguments] : [];

    private static string Worst(Resource resource) =>
        resource.HealthReports.Any(report => !report.HasStatus) ? "Not checked"
        : resource.HealthReports.Any(report => report.Status == HealthStatus.Unhealthy) ? "Unhealthy"
        : resource.HealthReports.Any(report => report.Status == HealthStatus.Degraded) ? "Degraded"
        : "Healthy";
}
