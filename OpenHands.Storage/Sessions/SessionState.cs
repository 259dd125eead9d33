using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OpenHands.Storage.Sessions;

/// <summary>A saved state as the text of a JSON object. Most states are only carried from a store to a caller, so nobody reads them on the way.</summary>
/// <param name="Json">The text.</param>
[JsonConverter(typeof(SessionStateConverter))]
public readonly record struct SessionState(string Json)
{
    /// <summary>The state as an object of its own.</summary>
    public JsonObject Read() => JsonNode.Parse(Json)?.AsObject() ?? throw new InvalidOperationException("The stored state is null.");
}

internal sealed class SessionStateConverter : JsonConverter<SessionState>
{
    public override SessionState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonElement.ParseValue(ref reader).GetRawText());

    // It came from a serializer or from a column of type jsonb.
    public override void Write(Utf8JsonWriter writer, SessionState value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Json, skipInputValidation: true);
}
