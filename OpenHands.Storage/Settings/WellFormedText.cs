using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>
/// Finds text that JSON may carry but PostgreSQL or .NET cannot hold: NUL characters, half surrogate pairs, broken UTF-8.
/// A parsed document looks at its texts only when they are asked for, which would then be our failure.
/// </summary>
internal static class WellFormedText
{
    /// <summary>Whether every name and every text below the node can be read and stored.</summary>
    public static bool In(JsonNode? node)
    {
        try
        {
            return node switch
            {
                JsonObject members => members.All(member => IsStorable(member.Key) && In(member.Value)),
                JsonArray elements => elements.All(In),
                JsonValue value when value.GetValueKind() == JsonValueKind.String => IsStorable(value.GetValue<string>()),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsStorable(string text) => !text.Contains('\0');
}
