namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line that a resource wrote.</summary>
/// <param name="LineNumber">Counted from 1 for each resource.</param>
/// <param name="Content">The line.</param>
/// <param name="IsErrorMessage">True when it came from standard error.</param>
internal readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);
