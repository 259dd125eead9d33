namespace OpenHands.Storage.Idempotency;

/// <summary>A request that its caller may send again.</summary>
/// <param name="Route">Method and path.</param>
/// <param name="Key">What the caller chose to tell requests apart.</param>
/// <param name="BodyHash">SHA-256 of the body.</param>
public sealed record IdempotentRequest(string Route, string Key, byte[] BodyHash);

/// <summary>An answer as it is kept.</summary>
/// <param name="Status">200 to 299.</param>
/// <param name="Location">Header Location, or null.</param>
/// <param name="EntityTag">Header ETag, or null.</param>
/// <param name="Body">JSON, without what is shown only once; '' for none.</param>
public sealed record KeptAnswer(int Status, string? Location, string? EntityTag, string Body);

/// <summary>What became of a request that its caller may send again.</summary>
public enum IdempotencyOutcome
{
    /// <summary>The work was tried now; if it succeeded, its answer is kept.</summary>
    Tried,

    /// <summary>It was done before: the kept answer holds.</summary>
    Repeated,

    /// <summary>The same request is being worked on at this moment.</summary>
    UnderWay,

    /// <summary>The key was used with another body.</summary>
    OtherBody,

    /// <summary>The caller was removed meanwhile, or has left the organization.</summary>
    Gone,
}
