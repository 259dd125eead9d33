using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Auth;

/// <summary>Answers 404 to who is no member of the organization in the path.</summary>
internal sealed class MembershipFilter(OrganizationStore organizations) : IEndpointFilter
{
    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        !await organizations.HasMemberAsync(context.HttpContext.RequestAborted)
            ? TypedResults.Problem("There is no such organization.", statusCode: StatusCodes.Status404NotFound)
            : await next(context);
}
