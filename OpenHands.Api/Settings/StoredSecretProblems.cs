using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.Settings;

/// <summary>
/// Answers for stored secrets that cannot be read: an error with a code that an operator can act on, never "not set" or
/// "not found", after which a form would overwrite what the right key ring could still read.
/// </summary>
internal sealed partial class StoredSecretProblems(ILogger<StoredSecretProblems> logger) : IEndpointFilter
{
    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (KeyRingMismatchException mismatch)
        {
            Unreadable(logger, mismatch.Message);
            return Problem("key_ring_mismatch", mismatch.Message);
        }
        catch (SecretRefusedException refused)
        {
            Unreadable(logger, refused.Message);
            return Problem("stored_secret_refused", refused.Message);
        }
    }

    private static ProblemHttpResult Problem(string code, string message) => TypedResults.Problem(
        message, statusCode: StatusCodes.Status500InternalServerError, extensions: new Dictionary<string, object?> { ["code"] = code });

    [LoggerMessage(Level = LogLevel.Critical, Message = "Stored settings cannot be read: {Reason}")]
    private static partial void Unreadable(ILogger logger, string reason);
}
