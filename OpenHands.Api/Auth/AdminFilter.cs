using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Auth;

/// <summary>Answers 404 to who is no member of the organization in the path, and 403 to who is no admin of it.</summary>
internal sealed class AdminFilter(OrganizationStore organizations) : IEndpointFilter
{
    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        await organizations.FindAsync(context.HttpContext.RequestAborted) switch
        {
            null => TypedResults.Problem("There is no such organization.", statusCode: StatusCodes.Status404NotFound),
            { Role: OrganizationRole.Admin } => await next(context),
            _ => TypedResults.Problem("Only an admin of the organization may do this.", statusCode: StatusCodes.Status403Forbidden),
        };
}
