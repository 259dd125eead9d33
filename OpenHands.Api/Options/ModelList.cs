using System.Text.Json;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.Options;

/// <summary>The ids of the models on offer: sorted, each once.</summary>
internal sealed class ModelList(IOptions<LlmOptions> llm)
{
    private const string Resource = "models.json";

    /// <summary>From the configuration or, where it lists none, those that are shipped.</summary>
    public IReadOnlyList<string> Ids { get; } = Sorted(llm.Value.Models is { Count: > 0 } configured ? configured : Shipped());

    private static string[] Sorted(IEnumerable<string> ids) =>
        [.. ids.Select(id => id.Trim()).Where(id => id.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    private static string[] Shipped()
    {
        using var stream = typeof(ModelList).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Resource}.");
        return JsonSerializer.Deserialize<string[]>(stream) ?? [];
    }
}
