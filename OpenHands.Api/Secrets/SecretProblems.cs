using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.Secrets;

/// <summary>What callers hear when a secret was not changed. No answer ever repeats a value.</summary>
internal static class SecretProblems
{
    /// <summary>A value of the request that is not allowed.</summary>
    public static ProblemHttpResult Invalid(string message) => TypedResults.Problem(message, statusCode: StatusCodes.Status422UnprocessableEntity);

    /// <summary>The answer for an outcome other than done.</summary>
    /// <param name="outcome">What became of it.</param>
    /// <param name="nameTaken">Status for a name that is taken: the front end's contract and the platform's routes differ.</param>
    public static ProblemHttpResult Of(SecretOutcome outcome, int nameTaken) => outcome switch
    {
        SecretOutcome.NotFound => TypedResults.Problem("There is no such secret.", statusCode: StatusCodes.Status404NotFound),
        SecretOutcome.NameTaken => TypedResults.Problem("A secret of this name already exists.", statusCode: nameTaken),
        SecretOutcome.NotAdmin => TypedResults.Problem(
            "Only an admin of the organization may change its secrets.", statusCode: StatusCodes.Status403Forbidden),
        SecretOutcome.Changed => TypedResults.Problem(
            "Somebody else changed the secret meanwhile. Read it again.", statusCode: StatusCodes.Status412PreconditionFailed),
        _ => throw new InvalidOperationException($"{outcome} is no problem."),
    };
}
