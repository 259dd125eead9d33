using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace OpenHands.Cli.Terminal;

/// <summary>What a command works with: its arguments, the installation, and where to report progress.</summary>
/// <param name="Arguments">Values of its options.</param>
/// <param name="Installation">How the installation is reached.</param>
/// <param name="Error">Standard error: progress, never results.</param>
/// <param name="Time">The clock.</param>
internal sealed record Work(ParseResult Arguments, Installation Installation, TextWriter Error, TimeProvider Time)
{
    /// <summary>The configuration of the installation.</summary>
    public IConfiguration Configuration => Installation.Configuration;

    /// <summary>Says how far it is.</summary>
    public void Report(string line) => Error.WriteLine(line);
}
