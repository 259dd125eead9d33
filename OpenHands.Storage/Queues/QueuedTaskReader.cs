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
    public static bool TryRead(
        TakenTask taken, [NotNullWhen(true)] out QueuedTask? task, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(taken);
        task = null;
        if (taken.Value.Length > MaxBytes)
            reason = "The value is larger than 1 MiB.";
        else if (!Utf8.IsValid(taken.Value.Span))
            reason = "The value is not UTF-8.";
        else
            task = Read(taken, out reason);
        return task is not null;
    }

    private static QueuedTask? Read(TakenTask taken, out string? reason)
    {
        try
        {
            using var document = JsonDocument.Parse(taken.Value);
            reason = Check(document.RootElement, out var type, out var id);
            return reason is null ? new QueuedTask(taken.Queue, taken.Delivery, id, type, Payload(document.RootElement), taken.Attempts + 1) : null;
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
        if (!root.TryGetProperty("id", out var idMember) || idMember.ValueKind == JsonValueKind.Null)
            return null;
        id = idMember.ValueKind == JsonValueKind.Number ? idMember.GetRawText() : Text(idMember);
        return id is null ? "The member id is neither a text nor a number." : null;
    }

    private static JsonElement Payload(JsonElement root) =>
        root.TryGetProperty("payload", out var payload) ? payload.Clone() : JsonSerializer.SerializeToElement<object?>(null);

    private static string? Text(JsonElement member) => member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
