using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Net.Http.Headers;

namespace OpenHands.ServiceDefaults.Health;

/// <summary>Writes a health report as JSON. Anybody may read it, so it says which check failed but never with what words.</summary>
internal static class HealthAnswer
{
    internal static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        var response = context.Response;
        response.StatusCode = report.Status == HealthStatus.Unhealthy
            ? StatusCodes.Status503ServiceUnavailable
            : StatusCodes.Status200OK;
        response.ContentType = "application/json";
        response.Headers[HeaderNames.CacheControl] = "no-store";
        await response.BodyWriter.WriteAsync(Body(report), context.RequestAborted);
    }

    private static ReadOnlyMemory<byte> Body(HealthReport report)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("status", report.Status.ToString());
        json.WriteStartObject("checks");
        foreach (var (name, entry) in report.Entries)
        {
            json.WriteStartObject(name);
            json.WriteString("status", entry.Status.ToString());
            json.WriteString("description", Description(entry));
            json.WriteNumber("duration_ms", Math.Round(entry.Duration.TotalMilliseconds, 1));
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>A failed check's description is often its exception's message, which may name hosts and users.</summary>
    private static string? Description(HealthReportEntry entry) =>
        entry.Exception is null ? entry.Description : "The check failed; the service's log says why.";
}
