using System.ComponentModel.DataAnnotations;

namespace OpenHands.Api.Options;

/// <summary>The models that users may choose from.</summary>
internal sealed class LlmOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Llm";

    /// <summary>LiteLLM ids, `provider/model`, to offer instead of the shipped ones. Empty: the shipped ones.</summary>
    public IList<string> Models { get; } = [];

    /// <summary>The model of a user who has chosen none.</summary>
    [Required]
    public string DefaultModel { get; set; } = "openhands/claude-opus-4-5-20251101";
}
