using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Organizations;

/// <summary>What callers hear when an organization, its members or its invitations were not changed.</summary>
internal static class OrganizationProblems
{
    /// <summary>A role that there is not.</summary>
    public static ProblemHttpResult BadRole() => TypedResults.Problem(
        $"role must be {OrganizationRole.Admin} or {OrganizationRole.Member}.", statusCode: StatusCodes.Status422UnprocessableEntity);

    /// <summary>The answer for an outcome other than done.</summary>
    public static ProblemHttpResult Of(OrganizationOutcome outcome)
    {
        var (status, message) = outcome switch
        {
            OrganizationOutcome.NotFound => (StatusCodes.Status404NotFound, "There is no such organization."),
            OrganizationOutcome.NotAdmin => (StatusCodes.Status403Forbidden, "Only an admin of the organization may do this."),
            OrganizationOutcome.Changed => (StatusCodes.Status412PreconditionFailed, "Somebody else changed the organization meanwhile. Read it again."),
            OrganizationOutcome.NoSuchUser => (StatusCodes.Status404NotFound, "There is no such user."),
            OrganizationOutcome.NoSuchMember => (StatusCodes.Status404NotFound, "The organization has no such member."),
            OrganizationOutcome.AlreadyMember => (StatusCodes.Status409Conflict, "The user is a member already."),
            OrganizationOutcome.LastAdmin => (StatusCodes.Status409Conflict, "An organization must keep an admin. Make somebody else an admin first."),
            _ => throw new InvalidOperationException($"{outcome} is no problem."),
        };
        return TypedResults.Problem(message, statusCode: status);
    }
}
