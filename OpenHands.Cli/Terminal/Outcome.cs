using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenHands.Cli.Terminal;

/// <summary>What a command has to say at its end.</summary>
/// <param name="Text">For a person.</param>
/// <param name="Answer">The same for a program (<c>--json</c>).</param>
/// <param name="IsGood">False when something was found that an operator must look at: exit code 1.</param>
internal sealed record Outcome(string Text, object Answer, bool IsGood = true)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>The answer as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(Answer, Json);
}
