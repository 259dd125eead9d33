namespace OpenHands.Worker;

/// <summary>The configuration lacks a connection string.</summary>
internal sealed class MissingConnectionStringException(string name)
    : Exception($"The worker needs the connection string {name}: set ConnectionStrings__{name}.");
