using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;
using OpenHands.Api.Settings;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.Secrets;

/// <summary>The caller's own secrets, on the routes of the web front end.</summary>
internal static class SecretsApi
{
    /// <summary>Maps listing, adding, renaming and deleting.</summary>
    public static RouteGroupBuilder MapSecrets(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/api/secrets").WithTags("Secrets").ActAsTenant(ApiKeyScopes.Secrets);
        secrets.AddEndpointFilter<StoredSecretProblems>();
        secrets.MapGet("/", ListAsync);
        secrets.MapPost("/", AddAsync);
        secrets.MapPut("/{name}", RenameAsync);
        secrets.MapDelete("/{name}", DeleteAsync);
        return secrets;
    }

    /// <summary>The caller's secrets without their values; an empty list when there are none.</summary>
    internal static async Task<Ok<SecretList>> ListAsync(ClaimsPrincipal caller, SecretStore store, CancellationToken cancellationToken)
    {
        var secrets = await store.ListAsync(SecretOwner.User(caller.UserId()), cancellationToken);
        return TypedResults.Ok(new SecretList([.. secrets.Select(secret => new CustomSecret(secret.Name, secret.Description))]));
    }

    /// <summary>Stores a new secret. 400 when the name is taken.</summary>
    internal static async Task<Results<Created<SecretChanged>, ProblemHttpResult>> AddAsync(
        NewSecret request, ClaimsPrincipal caller, SecretStore store, CancellationToken cancellationToken)
    {
        if ((SecretName.Problem(request.Name, request.Description) ?? SecretName.ProblemOfValue(request.Value)) is { } problem)
            return SecretProblems.Invalid(problem);

        var outcome = await store.AddAsync(
            SecretOwner.User(caller.UserId()), request.Name ?? "", request.Value ?? "", request.Description, cancellationToken);
        return outcome == SecretOutcome.Done
            ? TypedResults.Created((string?)null, new SecretChanged("Secret created"))
            : SecretProblems.Of(outcome, StatusCodes.Status400BadRequest);
    }

    /// <summary>Renames and describes a secret and keeps its value. 400 when the new name is taken.</summary>
    internal static async Task<Results<Ok<SecretChanged>, ProblemHttpResult>> RenameAsync(
        string name, RenamedSecret request, ClaimsPrincipal caller, SecretStore store, CancellationToken cancellationToken)
    {
        if (SecretName.Problem(request.Name, request.Description) is { } problem)
            return SecretProblems.Invalid(problem);
        if (SecretName.Problem(name, description: null) is not null)
            return SecretProblems.Of(SecretOutcome.NotFound, StatusCodes.Status400BadRequest);

        var outcome = await store.RenameAsync(
            SecretOwner.User(caller.UserId()), name, request.Name ?? "", request.Description, cancellationToken);
        return outcome == SecretOutcome.Done
            ? TypedResults.Ok(new SecretChanged("Secret updated"))
            : SecretProblems.Of(outcome, StatusCodes.Status400BadRequest);
    }

    /// <summary>Deletes a secret with all its versions.</summary>
    internal static async Task<Results<Ok<SecretChanged>, ProblemHttpResult>> DeleteAsync(
        string name, ClaimsPrincipal caller, SecretStore store, CancellationToken cancellationToken)
    {
        var outcome = SecretName.Problem(name, description: null) is null
            ? await store.DeleteAsync(SecretOwner.User(caller.UserId()), name, cancellationToken)
            : SecretOutcome.NotFound;
        return outcome == SecretOutcome.Done
            ? TypedResults.Ok(new SecretChanged("Secret deleted"))
            : SecretProblems.Of(outcome, StatusCodes.Status400BadRequest);
    }
}
