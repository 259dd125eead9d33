namespace OpenHands.Storage.Secrets;

/// <summary>What became of a change of a secret.</summary>
public enum SecretOutcome
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>The owner has no such secret, or no such version of it; or the user does not belong to the owner.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    NameTaken,

    /// <summary>Only an admin of the organization may change its secrets.</summary>
    NotAdmin,

    /// <summary>Somebody else changed the secret since the version that the caller saw.</summary>
    Changed,
}

/// <summary>A secret without its value.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for; '' for nothing.</param>
/// <param name="Version">Grows with every change.</param>
/// <param name="UpdatedAt">When it last changed, UTC.</param>
public sealed record SecretSummary(string Name, string Description, long Version, DateTimeOffset UpdatedAt);

/// <summary>A former version of a secret, without its value.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">The name that the secret then had.</param>
/// <param name="ReplacedAt">When the next version took its place, UTC.</param>
public sealed record FormerSecret(long Version, string Name, DateTimeOffset ReplacedAt);
