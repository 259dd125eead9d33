using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Api.RateLimits;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Organizations;

/// <summary>The caller's organizations and their members.</summary>
internal static class OrganizationsApi
{
    private const string One = "/{organization:id}";
    private const string OneMember = One + "/members/{user:id}";

    /// <summary>Maps organizations and memberships. Everywhere: 404 for who is no member, 403 for who would have to be an admin.</summary>
    public static RouteGroupBuilder MapOrganizations(this IEndpointRouteBuilder routes)
    {
        var organizations = routes.MapGroup("/api/v1/organizations").WithTags("Organizations").ActAsTenant(ApiKeyScopes.Organizations);
        organizations.MapGet("/", ListAsync);
        organizations.MapPost("/", CreateAsync).Costs(5).Idempotent();
        organizations.MapGet(One, ReadAsync);
        organizations.MapPut(One, RenameAsync).ForAdmins(ApiKeyScopes.Organizations);
        organizations.MapPost(One + "/switch", SwitchAsync);
        organizations.MapGet(One + "/members", ListMembersAsync);
        organizations.MapPost(One + "/members", AddMemberAsync).ForAdmins(ApiKeyScopes.Organizations).Idempotent();
        organizations.MapPut(OneMember, ChangeRoleAsync).ForAdmins(ApiKeyScopes.Organizations);
        organizations.MapDelete(OneMember, RemoveMemberAsync);
        return organizations;
    }

    /// <summary>The organizations that the caller belongs to, oldest first.</summary>
    internal static async Task<Results<Ok<Page<JoinedOrganization>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, OrganizationStore store, CancellationToken cancellationToken) =>
        page.Problem ?? (Results<Ok<Page<JoinedOrganization>>, ProblemHttpResult>)TypedResults.Ok(
            page.Of(await store.ListAsync(page.After, page.Most, cancellationToken), organization => organization.Id));

    /// <summary>Makes an organization. The caller becomes its admin; the active organization stays.</summary>
    internal static async Task<Results<Created<JoinedOrganization>, ProblemHttpResult>> CreateAsync(
        OrganizationRequest request, OrganizationStore store, CancellationToken cancellationToken)
    {
        if (OrganizationName.Read(request.Name) is not { } name)
            return BadName();

        var created = await store.CreateAsync(name, cancellationToken);
        return TypedResults.Created($"/api/v1/organizations/{created.Id}", created);
    }

    /// <summary>One organization, with the caller's role in it.</summary>
    internal static async Task<Results<Ok<JoinedOrganization>, ProblemHttpResult>> ReadAsync(
        OrganizationStore store, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(cancellationToken) is not { } organization)
            return OrganizationProblems.Of(OrganizationOutcome.NotFound);

        response.Headers.ETag = EntityTag.Of(organization.Version);
        return TypedResults.Ok(organization);
    }

    /// <summary>Renames the organization. With If-Match only the version that it names.</summary>
    internal static async Task<Results<Ok<JoinedOrganization>, ProblemHttpResult>> RenameAsync(
        OrganizationRequest request, [FromHeader(Name = "If-Match")] string? ifMatch, OrganizationStore store, HttpResponse response,
        CancellationToken cancellationToken)
    {
        if (OrganizationName.Read(request.Name) is not { } name)
            return BadName();

        var version = EntityTag.Read(ifMatch);
        var outcome = version is EntityTag.Unknown ? OrganizationOutcome.Changed : await store.RenameAsync(name, version, cancellationToken);
        return outcome == OrganizationOutcome.Done ? await ReadAsync(store, response, cancellationToken) : OrganizationProblems.Of(outcome);
    }

    /// <summary>Makes the organization the one that the caller's requests act in unless they name another.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> SwitchAsync(OrganizationStore store, CancellationToken cancellationToken) =>
        await store.ActivateAsync(cancellationToken) ? TypedResults.NoContent() : OrganizationProblems.Of(OrganizationOutcome.NotFound);

    /// <summary>The members of the organization, in the order of their ids.</summary>
    internal static async Task<Results<Ok<Page<OrganizationMember>>, ProblemHttpResult>> ListMembersAsync(
        [AsParameters] PageRequest page, OrganizationStore store, CancellationToken cancellationToken)
    {
        if (page.Problem is { } problem)
            return problem;

        return await store.MembersAsync(page.After, page.Most, cancellationToken) is { } members
            ? TypedResults.Ok(page.Of(members, member => member.UserId))
            : OrganizationProblems.Of(OrganizationOutcome.NotFound);
    }

    /// <summary>Adds a user of the platform. What is active for that user stays active.</summary>
    internal static async Task<Results<Created, ProblemHttpResult>> AddMemberAsync(
        MemberRequest request, OrganizationStore store, HttpRequest http, CancellationToken cancellationToken)
    {
        if (!OrganizationRole.IsOne(request.Role))
            return OrganizationProblems.BadRole();
        if (!EntityIdConstraint.IsId(request.UserId))
            return OrganizationProblems.Of(OrganizationOutcome.NoSuchUser);

        var outcome = await store.AddMemberAsync(request.UserId, request.Role, cancellationToken);
        return outcome == OrganizationOutcome.Done ? TypedResults.Created($"{http.Path}/{request.UserId}") : OrganizationProblems.Of(outcome);
    }

    /// <summary>Changes the role of a member. The last admin stays one.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> ChangeRoleAsync(
        string user, RoleRequest request, OrganizationStore store, CancellationToken cancellationToken)
    {
        if (!OrganizationRole.IsOne(request.Role))
            return OrganizationProblems.BadRole();

        var outcome = await store.ChangeRoleAsync(user, request.Role, cancellationToken);
        return outcome == OrganizationOutcome.Done ? TypedResults.NoContent() : OrganizationProblems.Of(outcome);
    }

    /// <summary>Removes a member, or lets the caller leave. The member's sessions and keys in the organization end with it.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> RemoveMemberAsync(
        string user, OrganizationStore store, CancellationToken cancellationToken)
    {
        var outcome = await store.RemoveMemberAsync(user, cancellationToken);
        return outcome == OrganizationOutcome.Done ? TypedResults.NoContent() : OrganizationProblems.Of(outcome);
    }

    private static ProblemHttpResult BadName() => TypedResults.Problem(
        $"name must be {OrganizationName.Expected}.", statusCode: StatusCodes.Status422UnprocessableEntity);
}
