namespace OpenHands.Dashboard.Consoles;

/// <summary>A line that a resource wrote.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Text">The line, with its colour codes.</param>
/// <param name="IsError">True when it came from standard error.</param>
internal sealed record ConsoleLine(int Number, string Text, bool IsError);
