using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace OpenHands.Storage.Queues;

/// <summary>Reads a pushed value as a task: a JSON object with <c>type</c> and, if wanted, <c>payload</c> and <c>id</c>.</summary>
public static class QueuedTaskReader
{
    /// <summary>Largest value that is read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Reads the value; otherwise says in words that contain nothing of it why it is no task.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> value, [NotNullWhen(true)] out PushedTask? task, [NotNullWhen(false)] out string? reason)
    {
        task = null;
        if (value.Length > MaxBytes)
            reason = "The value is larger than 1 MiB.";
        else if (!Utf8.IsValid(value.Span))
            reason = "The value is not UTF-8.";
        else
            task = Read(value, out reason);
        return task is not null;
    }

    private static PushedTask? Read(ReadOnlyMemory<byte> value, out string? reason)
    {
        try
        {
            using var document = JsonDocument.Parse(value);
            reason = Check(document.RootElement, out var type, out var id);
            return reason is null ? new PushedTask(type, Payload(document.RootElement), id) : null;
        }
        catch (JsonException)
        {
            reason = "The value is not JSON.";
        }
        catch (InvalidOperationException)
        {
            // JSON by its grammar, but what a name or text stands for cannot be said in Unicode.
            reason = "The value has an escape that is half of a surrogate pair.";
        }

        return null;
    }

    private static string? Check(JsonElement root, out string type, out string? id)
    {
        (type, id) = ("", null);
        if (root.ValueKind != JsonValueKind.Object)
            return "The value is not a JSON object.";
        if (!root.TryGetProperty("type", out var typeMember))
            return "The member type is missing.";
        if (Text(typeMember) is not { Length: > 0 } readType)
            return "The member type is not a text.";
        type = readType;
        if (root.TryGetProperty("id", out var idMember) && idMember.ValueKind != JsonValueKind.Null)
        {
            id = idMember.ValueKind == JsonValueKind.Number ? idMember.GetRawText() : Text(idMember);
            if (id is null)
                return "The member id is neither a text nor a number.";
        }

        return type.Contains('\0') || id?.Contains('\0') == true ? "The member type or id contains NUL." : null;
    }

    private static string Payload(JsonElement root) => root.TryGetProperty("payload", out var payload) ? payload.GetRawText() : "null";

    private static string? Text(JsonElement member) => member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}

/// <summary>What a pushed value says.</summary>
/// <param name="Type">Which handler it is for.</param>
/// <param name="Payload">What the handler needs to know, JSON.</param>
/// <param name="ProducerId">The producer's own name of the task; null when it gave none.</param>
public sealed record PushedTask(string Type, string Payload, string? ProducerId);
