namespace Aspire.Hosting.ApplicationModel;

/// <summary>The names of the states a resource can be in.</summary>
public static class KnownResourceStates
{
    /// <summary>It is about to start.</summary>
    public static readonly string Starting = nameof(Starting);

    /// <summary>It runs.</summary>
    public static readonly string Running = nameof(Running);

    /// <summary>It could not be started.</summary>
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>It is being stopped.</summary>
    public static readonly string Stopping = nameof(Stopping);

    /// <summary>It ended although it should have gone on, or with a failure.</summary>
    public static readonly string Exited = nameof(Exited);

    /// <summary>It ended as it should.</summary>
    public static readonly string Finished = nameof(Finished);

    /// <summary>It waits for other resources.</summary>
    public static readonly string Waiting = nameof(Waiting);

    /// <summary>Nobody has started it.</summary>
    public static readonly string NotStarted = nameof(NotStarted);

    /// <summary>It is a value, and the value is known.</summary>
    public static readonly string Active = nameof(Active);

    /// <summary>The states that a resource does not leave by itself.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];
}
