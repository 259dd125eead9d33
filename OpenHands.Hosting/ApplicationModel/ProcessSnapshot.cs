namespace Aspire.Hosting.ApplicationModel;

/// <summary>The process that runs a resource.</summary>
/// <param name="Program">The program's path.</param>
/// <param name="Arguments">Its arguments; never a secret.</param>
/// <param name="WorkingDirectory">Where it runs.</param>
internal sealed record ProcessSnapshot(string Program, IReadOnlyList<string> Arguments, string WorkingDirectory);
