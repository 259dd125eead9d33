namespace OpenHands.Tests.Hosting;

/// <summary>Facts about the real Aspire that lie beside the tests; lines that begin with # are remarks.</summary>
internal static class Recording
{
    public static IReadOnlyList<string> Lines(string name)
    {
        using var reader = new StreamReader(typeof(Recording).Assembly.GetManifestResourceStream(name)!);
        return [.. reader.ReadToEnd().Split('\n').Where(line => line.Length > 0 && line[0] != '#')];
    }
}
