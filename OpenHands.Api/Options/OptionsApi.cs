using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;

namespace OpenHands.Api.Options;

/// <summary>What the settings page offers for a choice. An empty list is legal in all of them.</summary>
internal static class OptionsApi
{
    // What the platform can really run: one agent, and the analyzer that asks the LLM itself.
    private static readonly string[] AgentNames = ["CodeActAgent"];
    private static readonly string[] SecurityAnalyzerNames = ["llm"];

    /// <summary>Adds the list of models, checked on start.</summary>
    public static void AddOptionLists(this IServiceCollection services)
    {
        services.AddOptions<LlmOptions>().BindConfiguration(LlmOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ModelList>();
    }

    /// <summary>Maps the lists of models, agents and security analyzers.</summary>
    public static RouteGroupBuilder MapOptions(this IEndpointRouteBuilder routes)
    {
        var options = routes.MapGroup("/api/options").WithTags("Options").ForUsers();
        options.MapGet("/models", Models);
        options.MapGet("/agents", Agents);
        options.MapGet("/security-analyzers", SecurityAnalyzers);
        return options;
    }

    /// <summary>Ids of the language models on offer, sorted. Another one may still be typed.</summary>
    internal static Ok<IReadOnlyList<string>> Models(ModelList models) => TypedResults.Ok(models.Ids);

    /// <summary>Names of the agents, sorted.</summary>
    internal static Ok<string[]> Agents() => TypedResults.Ok(AgentNames);

    /// <summary>Names of the security analyzers, sorted.</summary>
    internal static Ok<string[]> SecurityAnalyzers() => TypedResults.Ok(SecurityAnalyzerNames);
}
