using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Api.Mail;
using OpenHands.Api.Organizations;
using OpenHands.Api.RateLimits;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Invitations;

/// <summary>Invitations: admins make, list and revoke them; whoever has one accepts it.</summary>
internal static class InvitationsApi
{
    /// <summary>Adds what they need.</summary>
    public static void AddInvitations(this IServiceCollection services)
    {
        services.AddMail();
        services.AddOptions<InvitationOptions>().BindConfiguration(InvitationOptions.Section).ValidateDataAnnotations()
            .Validate(options => options.IsAddressValid, "Invitations:Address must be the address of this server, such as https://openhands.example.org.")
            .ValidateOnStart();
        services.AddSingleton<InvitationMails>();
        services.AddHostedService(provider => provider.GetRequiredService<InvitationMails>());
    }

    /// <summary>Maps them and the page behind their links.</summary>
    public static void MapInvitations(this IEndpointRouteBuilder routes)
    {
        var made = routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/invitations")
            .WithTags("Invitations").ActAsTenant(ApiKeyScopes.Organizations).ForAdmins(ApiKeyScopes.Organizations);
        made.MapGet("/", ListAsync);
        made.MapPost("/", CreateAsync).Costs(5).Idempotent(shownOnce: "link");
        made.MapDelete("/{invitation:id}", RevokeAsync);

        var given = routes.MapGroup("/api/v1/invitations").WithTags("Invitations").ActAsTenant(ApiKeyScopes.Organizations);
        given.MapPost("/look", LookAsync);
        given.MapPost("/accept", AcceptAsync);
        routes.MapInvitationPage();
    }

    /// <summary>The invitations to the organization, oldest first, without their links. For admins.</summary>
    internal static async Task<Results<Ok<Page<InvitationSummary>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, InvitationStore store, CancellationToken cancellationToken)
    {
        if (page.Problem is { } problem)
            return problem;

        var (invitations, outcome) = await store.ListAsync(page.After, page.Most, cancellationToken);
        return invitations is null ? OrganizationProblems.Of(outcome) : TypedResults.Ok(page.Of(invitations, invitation => invitation.Id));
    }

    /// <summary>
    /// Invites somebody. With an address and a mail server the link is mailed after this answer; otherwise it is in the answer,
    /// this once, to be handed on. For admins.
    /// </summary>
    internal static async Task<Results<Created<NewInvitation>, ProblemHttpResult>> CreateAsync(
        string organization, InvitationRequest request, ClaimsPrincipal caller, InvitationStore store, InvitationMails mails,
        IOptions<InvitationOptions> options, TimeProvider time, HttpRequest http, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (request.Problem(now) is { } problem)
            return TypedResults.Problem(problem, statusCode: StatusCodes.Status422UnprocessableEntity);

        var expiresAt = request.ExpiresAt ?? now + options.Value.Lifetime;
        var (made, token, outcome) = await store.CreateAsync(
            request.Role!, request.Address, expiresAt, request.Address is not null && mails.IsConfigured ? SendAsync : null, cancellationToken); // a role, or it would be a problem
        return made is null
            ? OrganizationProblems.Of(outcome)
            : TypedResults.Created($"{http.Path}/{made.Id}", NewInvitation.From(made, made.Mail == InvitationMail.None ? options.Value.Link(http, token) : null));

        Task SendAsync(string id, string sealedToken) => mails.SendSoonAsync(
            new InvitationMailDraft(caller.UserId(), organization, id, request.Address!, options.Value.Link(http, sealedToken), expiresAt));
    }

    /// <summary>Ends an invitation: its link is good for nothing from now on. Who has joined by it stays a member. For admins.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        string invitation, InvitationStore store, CancellationToken cancellationToken) => await store.RevokeAsync(invitation, cancellationToken) switch
        {
            OrganizationOutcome.Done => TypedResults.NoContent(),
            { } refused => OrganizationProblems.Of(refused),
            null => Problem(InvitationOutcome.NotFound),
        };

    /// <summary>What the caller is invited to. Changes nothing.</summary>
    internal static async Task<Results<Ok<OfferedMembership>, ProblemHttpResult>> LookAsync(
        InvitationTokenRequest request, InvitationStore store, CancellationToken cancellationToken) =>
        Answer(await store.LookAsync(request.Token ?? "", cancellationToken));

    /// <summary>Makes the caller a member. Of any number who try at once with one link, one succeeds; the active organization stays.</summary>
    internal static async Task<Results<Ok<OfferedMembership>, ProblemHttpResult>> AcceptAsync(
        InvitationTokenRequest request, InvitationStore store, CancellationToken cancellationToken) =>
        Answer(await store.AcceptAsync(request.Token ?? "", cancellationToken));

    private static Results<Ok<OfferedMembership>, ProblemHttpResult> Answer((InvitationOutcome Outcome, OfferedMembership? Offer) found) =>
        found.Offer is { } offer ? TypedResults.Ok(offer) : Problem(found.Outcome);

    private static ProblemHttpResult Problem(InvitationOutcome outcome)
    {
        var (status, message) = outcome switch
        {
            InvitationOutcome.NotFound => (StatusCodes.Status404NotFound, "There is no such invitation. It may have been revoked."),
            InvitationOutcome.AlreadyMember => (StatusCodes.Status409Conflict, "You are a member already."),
            InvitationOutcome.Used => (StatusCodes.Status410Gone, "This invitation was used already. Ask for a new one."),
            InvitationOutcome.Expired => (StatusCodes.Status410Gone, "This invitation has expired. Ask for a new one."),
            InvitationOutcome.OtherAddress => (StatusCodes.Status403Forbidden, "This invitation is for another address than your verified one."),
            _ => throw new InvalidOperationException($"{outcome} is no problem."),
        };
        return TypedResults.Problem(message, statusCode: status);
    }
}
