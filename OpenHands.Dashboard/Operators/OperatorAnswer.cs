namespace OpenHands.Dashboard.Operators;

/// <summary>What a worker answered an operator.</summary>
/// <param name="Value">The answer; null when there is none.</param>
/// <param name="Failure">Why there is none; null otherwise.</param>
internal sealed record OperatorAnswer<T>(T? Value, string? Failure)
    where T : class;
