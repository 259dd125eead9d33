namespace OpenHands.Cli.Import;

/// <summary>What became of each thing that was found; never a value.</summary>
internal sealed class ImportReport
{
    private readonly List<ImportedThing> _lines = [];

    /// <summary>In the order in which they were found.</summary>
    public IReadOnlyList<ImportedThing> Lines => _lines;

    /// <summary>Adds one.</summary>
    public void Add(string kind, string name, ImportResult result, string? reason = null) => _lines.Add(new ImportedThing(kind, name, result, reason));

    /// <summary>How many ended so.</summary>
    public int Count(ImportResult result) => _lines.Count(line => line.Result == result);
}

/// <summary>One thing that was found.</summary>
/// <param name="Kind">Such as <c>secret</c>.</param>
/// <param name="Name">Its name or id.</param>
/// <param name="Result">What became of it.</param>
/// <param name="Reason">Why it was not taken; null when it was.</param>
internal sealed record ImportedThing(string Kind, string Name, ImportResult Result, string? Reason);

/// <summary>What became of a thing.</summary>
internal enum ImportResult
{
    /// <summary>It is here now.</summary>
    Taken,

    /// <summary>Something of that name was here already and stays.</summary>
    Kept,

    /// <summary>It cannot be taken.</summary>
    Refused,
}
