namespace OpenHands.Cli.Diagnosis;

/// <summary>What a check of the doctor found.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="State">How it is.</param>
/// <param name="Message">What was found, and what to do.</param>
internal sealed record Check(string Name, CheckState State, string Message)
{
    /// <summary>Ok when it is so, else with another message.</summary>
    public static Check Of(string name, bool isGood, string good, string bad, CheckState otherwise = CheckState.Failed) =>
        isGood ? new Check(name, CheckState.Ok, good) : new Check(name, otherwise, bad);
}

/// <summary>How something is.</summary>
internal enum CheckState
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, and something should be done.</summary>
    Warning,

    /// <summary>It does not work, or is not safe.</summary>
    Failed,

    /// <summary>It could not be looked at.</summary>
    Skipped,
}
