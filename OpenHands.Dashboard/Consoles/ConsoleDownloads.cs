using Grpc.Core;
using OpenHands.Dashboard.Resources;

namespace OpenHands.Dashboard.Consoles;

/// <summary>What a resource wrote, as a file.</summary>
internal static class ConsoleDownloads
{
    /// <summary>Maps the download.</summary>
    public static void MapConsoleDownloads(this WebApplication app) => app.MapGet("/consolelogs/{resource}/download", DownloadAsync);

    internal static async Task DownloadAsync(string resource, HttpContext context, ResourceWatch resources, ResourceServiceClient client)
    {
        if (resources.Find(resource) is not { } known)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{known.Name}.log\"";
        using var watch = client.WatchConsole(known.Name, onlyKept: true, context.RequestAborted);
        await foreach (var update in watch.ResponseStream.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(string.Concat(update.LogLines.Select(line => AnsiText.Plain(line.Text) + "\n")), context.RequestAborted);
        }
    }
}
