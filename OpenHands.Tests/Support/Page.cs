namespace OpenHands.Tests.Support;

/// <summary>A page of the project's documentation.</summary>
internal static class Page
{
    /// <summary>The text of a page.</summary>
    /// <param name="path">Its path from the root of the repository.</param>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root(), path));

    /// <summary>The cells of the table whose first column has this heading, one row each, without its head.</summary>
    public static IEnumerable<string[]> Table(string path, string firstColumn) => Read(path)
        .Split('\n')
        .SkipWhile(line => !line.StartsWith($"| {firstColumn} |", StringComparison.Ordinal))
        .Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray());

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OpenHands.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        return folder.FullName;
    }
}
