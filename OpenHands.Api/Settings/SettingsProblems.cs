using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Settings;

/// <summary>What is answered to settings that cannot be saved.</summary>
internal static class SettingsProblems
{
    /// <summary>One field is wrong; it is named beside the message.</summary>
    public static ProblemHttpResult Field(FieldProblem problem) => TypedResults.Problem(
        problem.Message,
        statusCode: StatusCodes.Status422UnprocessableEntity,
        extensions: new Dictionary<string, object?> { ["field"] = problem.Field });
}
