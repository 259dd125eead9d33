namespace OpenHands.Hosting.Processes;

/// <summary>The account a server runs under: servers do not run as root.</summary>
/// <param name="commandPrefix">The command that drops root and then becomes the program named after it; empty when there is nothing to drop.</param>
internal sealed class ServerAccount(IReadOnlyList<string> commandPrefix)
{
    /// <summary>The command that drops root and then becomes the program named after it; empty when there is nothing to drop.</summary>
    public IReadOnlyList<string> CommandPrefix => commandPrefix;
}
