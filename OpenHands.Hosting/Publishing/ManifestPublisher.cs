using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Publishing;

/// <summary>Publishes the application as the manifest that aspirate and azd read. Starts nothing and needs no secret.</summary>
internal sealed class ManifestPublisher(PublishOptions options, DistributedApplicationModel model, ResourceConfiguration configuration)
{
    /// <summary>Utf8JsonWriter's own indentation and escapes are Aspire's.</summary>
    private static readonly JsonWriterOptions Format = new() { Indented = true, NewLine = "\n" };

    /// <summary>Writes the manifest; returns the path of its file.</summary>
    /// <exception cref="DistributedApplicationException">
    /// A resource has no form in a manifest, or the file cannot be written.
    /// </exception>
    public async Task<string> PublishAsync(CancellationToken cancellationToken)
    {
        var path = options.ManifestPath;
        var folder = Path.GetDirectoryName(path)!;
        // Whole or not at all: what cannot be published leaves the file of an earlier run as it was.
        var manifest = await WriteAsync(folder, cancellationToken).ConfigureAwait(false);
        await PublishedFile.WriteAsync(path, manifest, cancellationToken).ConfigureAwait(false);
        return path;
    }

    /// <summary>The manifest's bytes.</summary>
    /// <param name="folder">The absolute path of the folder that its paths are relative to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DistributedApplicationException">A resource has no form in a manifest.</exception>
    public async Task<byte[]> WriteAsync(string folder, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Format))
        {
            await new ManifestWriter(json, folder, configuration).WriteAsync(model.Resources, cancellationToken).ConfigureAwait(false);
        }

        return buffer.ToArray();
    }
}
