using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>Who sent: a service, and which of its replicas.</summary>
/// <param name="Service">Its name, which is that of the resource.</param>
/// <param name="Instance">The replica.</param>
internal sealed record TelemetrySource(string Service, string Instance)
{
    private const int Longest = 128;

    /// <summary>The replica's name, as the resources page has it.</summary>
    public string Name => Instance.Length == 0 ? Service : $"{Service}-{Instance}";

    /// <summary>Reads it from what was sent.</summary>
    public static TelemetrySource Read(OtlpResource? resource)
    {
        var service = Find(resource, "service.name");
        return new TelemetrySource(Names.Shared(service.Length == 0 ? "unknown" : service), Names.Shared(Find(resource, "service.instance.id")));
    }

    private static string Find(OtlpResource? resource, string name) =>
        Attributes.Cut(Attributes.Text(resource?.Attributes.FirstOrDefault(attribute => attribute.Key == name)?.Value), Longest);
}
