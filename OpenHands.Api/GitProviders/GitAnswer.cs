namespace OpenHands.Api.GitProviders;

/// <summary>What came of asking a git provider.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="User">Whose the token is; null unless the provider said it.</param>
internal sealed record GitAnswer(GitOutcome Outcome, GitUser? User = null);

/// <summary>What happened when a git provider was asked.</summary>
internal enum GitOutcome
{
    /// <summary>It said whose the token is.</summary>
    Known,

    /// <summary>It does not take the token.</summary>
    TokenRefused,

    /// <summary>The host that the user named may not be asked, or is none.</summary>
    HostNotAllowed,

    /// <summary>Nobody answered in time.</summary>
    Unreachable,

    /// <summary>Whoever answered is no such provider, or has a fault.</summary>
    Strange,

    /// <summary>This server asks none.</summary>
    Disabled,
}
