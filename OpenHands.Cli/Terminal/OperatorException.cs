namespace OpenHands.Cli.Terminal;

/// <summary>A command cannot go on; the message says why and what to do.</summary>
internal sealed class OperatorException(string message) : Exception(message);
