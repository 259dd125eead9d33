using Aspire.Hosting;

namespace OpenHands.Hosting.Publishing;

/// <summary>Puts what was published into its file.</summary>
internal static class PublishedFile
{
    /// <summary>Writes it, and the folders above it.</summary>
    /// <exception cref="DistributedApplicationException">It cannot be written.</exception>
    public static async Task WriteAsync(string path, byte[] content, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, content, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"the file cannot be written to {path}: {exception.Message}", exception);
        }
    }
}
