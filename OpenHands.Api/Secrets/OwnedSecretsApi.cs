using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Api.Settings;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.Secrets;

/// <summary>The platform's own routes to secrets, the same for a user's and an organization's. Of one name, a user's own comes before the organization's.</summary>
internal static class OwnedSecretsApi
{
    /// <summary>Maps both.</summary>
    public static void MapOwnedSecrets(this IEndpointRouteBuilder routes)
    {
        Map(routes.MapGroup("/api/v1/secrets"), Callers.User);
        Map(routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/secrets"), Callers.Admin)
            .AddEndpointFilter<MembershipFilter>();
    }

    /// <summary>The secrets without their values, by name.</summary>
    internal static async Task<Results<Ok<Page<SecretSummary>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, HttpContext context, SecretStore store, CancellationToken cancellationToken) =>
        page.ProblemFor(name => SecretName.Problem(name, description: null) is null)
        ?? (Results<Ok<Page<SecretSummary>>, ProblemHttpResult>)TypedResults.Ok(
            page.Of(await store.ListAsync(OwnerOf(context), page.After, page.Most, cancellationToken), secret => secret.Name));

    /// <summary>One secret without its value.</summary>
    internal static async Task<Results<Ok<SecretSummary>, ProblemHttpResult>> ReadAsync(
        string name, HttpContext context, SecretStore store, CancellationToken cancellationToken)
    {
        if (SecretName.Problem(name, description: null) is not null || await store.FindSummaryAsync(OwnerOf(context), name, cancellationToken) is not { } found)
            return SecretProblems.Of(SecretOutcome.NotFound, StatusCodes.Status409Conflict);

        context.Response.Headers.ETag = EntityTag.Of(found.Version);
        return TypedResults.Ok(found);
    }

    /// <summary>Stores a new secret. In an organization only admins may.</summary>
    internal static async Task<Results<Created, ProblemHttpResult>> AddAsync(
        OwnedSecret request, HttpContext context, SecretStore store, CancellationToken cancellationToken)
    {
        if ((SecretName.Problem(request.Name, request.Description) ?? SecretName.ProblemOfValue(request.Value)) is { } problem)
            return SecretProblems.Invalid(problem);

        var outcome = await store.AddAsync(OwnerOf(context), request.Name ?? "", request.Value ?? "", request.Description, cancellationToken);
        return outcome == SecretOutcome.Done
            ? TypedResults.Created($"{context.Request.Path}/{Uri.EscapeDataString(request.Name ?? "")}")
            : SecretProblems.Of(outcome, StatusCodes.Status409Conflict);
    }

    /// <summary>Names and describes a secret anew; its value and its versions stay. With If-Match only the version that it names.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> DescribeAsync(
        string name, SecretDescription request, [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext context, SecretStore store,
        CancellationToken cancellationToken) =>
        SecretName.Problem(request.Name, request.Description) is { } problem
            ? SecretProblems.Invalid(problem)
            : await AnswerAsync(name, ifMatch, version =>
                store.RenameAsync(OwnerOf(context), name, request.Name ?? "", request.Description, cancellationToken, version));

    /// <summary>Gives a secret a new value; the former one stays as a version. With If-Match only the version that it names.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> ReplaceAsync(
        string name, SecretValue request, [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext context, SecretStore store,
        CancellationToken cancellationToken) =>
        SecretName.ProblemOfValue(request.Value) is { } problem
            ? SecretProblems.Invalid(problem)
            : await AnswerAsync(name, ifMatch, version => store.ReplaceValueAsync(OwnerOf(context), name, request.Value ?? "", cancellationToken, version));

    /// <summary>Deletes a secret with all its versions. With If-Match only the version that it names.</summary>
    internal static Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string name, [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext context, SecretStore store, CancellationToken cancellationToken) =>
        AnswerAsync(name, ifMatch, version => store.DeleteAsync(OwnerOf(context), name, cancellationToken, version));

    /// <summary>The former versions that are kept, newest first, without their values.</summary>
    internal static async Task<Results<Ok<IReadOnlyList<FormerSecret>>, ProblemHttpResult>> VersionsAsync(
        string name, HttpContext context, SecretStore store, CancellationToken cancellationToken) =>
        SecretName.Problem(name, description: null) is null && await store.VersionsAsync(OwnerOf(context), name, cancellationToken) is { } versions
            ? TypedResults.Ok(versions)
            : SecretProblems.Of(SecretOutcome.NotFound, StatusCodes.Status409Conflict);

    /// <summary>Gives a secret the value of a former version. The present value becomes a version, too. With If-Match only the version that it names.</summary>
    internal static Task<Results<NoContent, ProblemHttpResult>> RestoreAsync(
        string name, long version, [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext context, SecretStore store, CancellationToken cancellationToken) =>
        AnswerAsync(name, ifMatch, seen => store.RestoreAsync(OwnerOf(context), name, version, cancellationToken, seen));

    private static RouteGroupBuilder Map(RouteGroupBuilder secrets, Callers writers)
    {
        secrets.WithTags("Secrets").ActAsTenant(ApiKeyScopes.Secrets).AddEndpointFilter<StoredSecretProblems>();
        secrets.MapGet("/", ListAsync);
        secrets.MapGet("/{name}", ReadAsync);
        secrets.MapGet("/{name}/versions", VersionsAsync);

        var writing = secrets.MapGroup("");
        writing.WithMetadata(new Audience(writers, ApiKeyScopes.Secrets));
        writing.MapPost("/", AddAsync).Idempotent();
        writing.MapPut("/{name}", DescribeAsync);
        writing.MapPut("/{name}/value", ReplaceAsync);
        writing.MapDelete("/{name}", DeleteAsync);
        writing.MapPost("/{name}/versions/{version:long}/restore", RestoreAsync);
        return secrets;
    }

    private static SecretOwner OwnerOf(HttpContext context) => context.GetRouteValue(TenantEntry.Organization) is string organization
        ? SecretOwner.Organization(organization)
        : SecretOwner.User(context.User.UserId());

    private static async Task<Results<NoContent, ProblemHttpResult>> AnswerAsync(string name, string? ifMatch, Func<long?, Task<SecretOutcome>> change)
    {
        var outcome = (SecretName.Problem(name, description: null), EntityTag.Read(ifMatch)) switch
        {
            (not null, _) => SecretOutcome.NotFound,
            (_, EntityTag.Unknown) => SecretOutcome.Changed,
            (_, var version) => await change(version),
        };
        return outcome == SecretOutcome.Done ? TypedResults.NoContent() : SecretProblems.Of(outcome, StatusCodes.Status409Conflict);
    }
}

/// <summary>A new secret.</summary>
/// <param name="Name">1 to 256 characters without blanks and slashes.</param>
/// <param name="Value">1 to 65,536 bytes of text without NUL characters; never shown again.</param>
/// <param name="Description">What it is for.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record OwnedSecret([property: JsonRequired] string? Name, [property: JsonRequired] string? Value, string? Description);

/// <summary>The name and the description that a secret is to have; its value stays.</summary>
/// <param name="Name">1 to 256 characters without blanks and slashes.</param>
/// <param name="Description">What it is for; empty when absent.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SecretDescription([property: JsonRequired] string? Name, string? Description = null);
