namespace OpenHands.Storage.Sessions;

/// <summary>What became of a change of a session.</summary>
public enum SessionOutcome
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>The user has no such session here.</summary>
    NotFound,

    /// <summary>It was changed since the version that the caller saw.</summary>
    Changed,

    /// <summary>The state would be larger than allowed.</summary>
    TooLarge,

    /// <summary>The state has a text or a number that cannot be stored.</summary>
    NotStorable,
}
