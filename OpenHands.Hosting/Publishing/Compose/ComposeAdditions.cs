using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Aspire.Hosting;

namespace OpenHands.Hosting.Publishing.Compose;

/// <summary>What a file for Compose needs and the model does not say: mostly ports and volumes of the machine.</summary>
internal sealed class ComposeAdditions
{
    /// <summary>The file's name; it lies where the result is written.</summary>
    public const string FileName = "ports-and-volumes.json";

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Name of the Compose project.</summary>
    public required string Name { get; init; }

    /// <summary>What stands before the names of the projects' images, such as <c>registry.example.org/team</c>; may hold variables.</summary>
    public required string Images { get; init; }

    /// <summary>Tag of the projects' images; may hold variables.</summary>
    public required string Tag { get; init; }

    /// <summary>Additions by service.</summary>
    public required IReadOnlyDictionary<string, ComposeServiceAdditions> Services { get; init; }

    /// <summary>Every volume that a service mounts, once, in the order of the file.</summary>
    public IEnumerable<string> VolumeNames => Services.Values.SelectMany(service => service.Volumes).Select(volume => volume.Split(':')[0]).Distinct();

    /// <summary>Reads the file in a folder.</summary>
    /// <exception cref="DistributedApplicationException">It is missing or cannot be understood.</exception>
    public static async Task<ComposeAdditions> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return Parse(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DistributedApplicationException($"there is no {path}, which says what ports and volumes the services get; publish to the folder that has it.");
        }
        catch (JsonException exception)
        {
            throw new DistributedApplicationException($"{path} cannot be understood: {exception.Message}");
        }
    }

    /// <summary>Reads its text.</summary>
    /// <exception cref="JsonException">It is not what it should be.</exception>
    public static ComposeAdditions Parse(string text) =>
        JsonSerializer.Deserialize<ComposeAdditions>(text, Format) ?? throw new JsonException("it is empty.");

    /// <summary>The additions for a service; empty ones when the file has none.</summary>
    public ComposeServiceAdditions Of(string service) => Services.GetValueOrDefault(service) ?? new();

    /// <summary>Refuses additions for what the model does not have, and what is no volume.</summary>
    /// <exception cref="DistributedApplicationException">It names the service.</exception>
    public void DemandServices(JsonObject resources)
    {
        foreach (var (name, service) in Services)
        {
            if ((string?)resources[name]?["type"] is not ("container.v0" or "project.v0"))
                throw new DistributedApplicationException($"{FileName} has additions for '{name}', and the application has no such service.");
            if (service.Volumes.FirstOrDefault(volume => volume.Split(':') is not [[not ('/' or '.'), ..], ['/', ..]]) is { } wrong)
                throw new DistributedApplicationException($"{FileName}: '{wrong}' of service '{name}' is not <volume>:/<folder in the container>.");
        }
    }
}

/// <summary>What one service gets beside what the model says.</summary>
internal sealed class ComposeServiceAdditions
{
    /// <summary>Published ports, <c>address:port of the machine:port of the service</c>.</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];

    /// <summary>Named volumes, <c>name:/folder</c>; one of the model's with the same folder gets this name.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>Variables on top of the model's, or instead of them.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Arguments instead of the model's.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>A command for the service's shell that succeeds once it is ready.</summary>
    public string? Healthcheck { get; init; }

    /// <summary>When it is started again.</summary>
    public string Restart { get; init; } = "unless-stopped";
}
