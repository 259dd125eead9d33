using Microsoft.AspNetCore.Http.HttpResults;

namespace OpenHands.Api.GitProviders;

/// <summary>What callers hear when a git provider did not say who they are. None is a fault of this server, so none is 5xx.</summary>
internal static class GitProblems
{
    /// <summary>No token is stored.</summary>
    public static ProblemHttpResult NotConnected() => TypedResults.Problem(
        "No git provider is connected. Connect one on the integrations page.", statusCode: StatusCodes.Status404NotFound);

    /// <summary>The answer for an outcome other than known.</summary>
    public static ProblemHttpResult Of(GitProvider provider, GitOutcome outcome) => outcome switch
    {
        GitOutcome.TokenRefused => TypedResults.Problem(
            $"Invalid token. {provider.Title} does not take it: it may have expired, been revoked, or lack the right to read your user.",
            statusCode: StatusCodes.Status401Unauthorized),
        GitOutcome.HostNotAllowed => TypedResults.Problem(
            $"The host for {provider.Title} may not be asked. Name a public host, reached over https{(provider.Name == "azure_devops" ? ", or your organization" : "")};"
            + " an operator can allow private ones with GitProviders:AllowPrivateHosts.",
            statusCode: StatusCodes.Status422UnprocessableEntity),
        GitOutcome.Unreachable => Dependency($"{provider.Title} did not answer. Check its host, or try again later."),
        GitOutcome.Strange => Dependency($"{provider.Title} did not say who you are. Check that the host is one of {provider.Title}, or try again later."),
        GitOutcome.Disabled => Dependency("This server asks no git providers (GitProviders:Enabled)."),
        _ => throw new InvalidOperationException($"{outcome} is no problem."),
    };

    private static ProblemHttpResult Dependency(string message) => TypedResults.Problem(message, statusCode: StatusCodes.Status424FailedDependency);
}
