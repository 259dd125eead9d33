using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Settings;

/// <summary>Settings as the web front end reads them. Every member is present; null means not set.</summary>
public sealed record SettingsAnswer
{
    private static readonly JsonSerializerOptions StoredNames = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Language of the user interface, such as `en`.</summary>
    public string? Language { get; init; }

    /// <summary>Name of the agent.</summary>
    public string? Agent { get; init; }

    /// <summary>Most steps of one run; null leaves it to the agent.</summary>
    public int? MaxIterations { get; init; }

    /// <summary>Name of the analyzer that rates what the agent is about to do; null for none.</summary>
    public string? SecurityAnalyzer { get; init; }

    /// <summary>Whether risky actions wait for a confirmation.</summary>
    public bool? ConfirmationMode { get; init; }

    /// <summary>Id of the language model. Never null: the default of the platform where the user chose none.</summary>
    public string? LlmModel { get; init; }

    /// <summary>Always null; see `llm_api_key_set`.</summary>
    public string? LlmApiKey { get; init; }

    /// <summary>Address of the language model; null for the provider's own.</summary>
    public string? LlmBaseUrl { get; init; }

    /// <summary>Version of the terms that the user has seen.</summary>
    public int? UserVersion { get; init; }

    /// <summary>Size of remote sandboxes.</summary>
    public int? RemoteRuntimeResourceFactor { get; init; }

    /// <summary>A remnant of the contract: always an object with empty `provider_tokens`.</summary>
    public JsonObject SecretsStore { get; init; } = new() { ["provider_tokens"] = new JsonObject() };

    /// <summary>Whether long histories are condensed.</summary>
    public bool EnableDefaultCondenser { get; init; }

    /// <summary>Whether the user interface makes sounds.</summary>
    public bool EnableSoundNotifications { get; init; }

    /// <summary>Whether the platform may start conversations by itself.</summary>
    public bool EnableProactiveConversationStarters { get; init; }

    /// <summary>Whether issues are judged for solvability.</summary>
    public bool EnableSolvabilityAnalysis { get; init; }

    /// <summary>Whether the user agreed to analytics; null while never asked.</summary>
    public bool? UserConsentsToAnalytics { get; init; }

    /// <summary>Image that sandboxes are built from.</summary>
    public string? SandboxBaseContainerImage { get; init; }

    /// <summary>Image that sandboxes run.</summary>
    public string? SandboxRuntimeContainerImage { get; init; }

    /// <summary>Tool servers with masked keys; null while never configured.</summary>
    public JsonObject? McpConfig { get; init; }

    /// <summary>Always null; see `search_api_key_set`.</summary>
    public string? SearchApiKey { get; init; }

    /// <summary>Always null.</summary>
    public string? SandboxApiKey { get; init; }

    /// <summary>Most that one task may cost; null for no limit.</summary>
    public double? MaxBudgetPerTask { get; init; }

    /// <summary>How many events a condensed history keeps, 20 or more.</summary>
    public int? CondenserMaxSize { get; init; }

    /// <summary>Address that identity gave.</summary>
    public string? Email { get; init; }

    /// <summary>Whether identity verified the address; null where it does not say.</summary>
    public bool? EmailVerified { get; init; }

    /// <summary>Name for commits.</summary>
    public string? GitUserName { get; init; }

    /// <summary>Address for commits.</summary>
    public string? GitUserEmail { get; init; }

    /// <summary>Always true: there are no conversations of the former kind.</summary>
    public bool V1Enabled { get; init; } = true;

    /// <summary>The git providers with a token, and their hosts.</summary>
    public IReadOnlyDictionary<string, string?> ProviderTokensSet { get; init; } = new Dictionary<string, string?>();

    /// <summary>Whether a key for the language model is stored.</summary>
    public bool LlmApiKeySet { get; init; }

    /// <summary>Whether a key for the search engine is stored.</summary>
    public bool SearchApiKeySet { get; init; }

    /// <summary>The answer for stored settings, with the platform's default for a user who chose no model.</summary>
    internal static SettingsAnswer From(SavedSettings saved, string defaultModel)
    {
        var answer = saved.Values.Deserialize<SettingsAnswer>(StoredNames)
            ?? throw new InvalidOperationException("The stored settings are null.");
        return answer with
        {
            LlmModel = answer.LlmModel ?? defaultModel,
            LlmApiKeySet = saved.HasLlmApiKey,
            SearchApiKeySet = saved.HasSearchApiKey,
            Email = saved.Email,
            ProviderTokensSet = saved.ProviderHosts,
        };
    }
}
