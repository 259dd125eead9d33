using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace OpenHands.Hosting.Provisioning;

/// <summary>A server as software: which programs it has, where systems install them, which packages carry them.</summary>
internal sealed record ServerProduct
{
    /// <summary>PostgreSQL: <c>postgres</c> and <c>initdb</c>, which Debian keeps off PATH in a folder per version.</summary>
    public static ServerProduct Postgres { get; } = new()
    {
        Name = "PostgreSQL",
        SourceKey = "--Postgres:Source",
        Programs = [["postgres", "initdb"]],
        Folders = version => [
            .. version is null ? Array.Empty<string>() : [$"/usr/lib/postgresql/{version}/bin"],
            .. PathFolders(),
            .. VersionedFolders("/usr/lib/postgresql")],
        Package = "postgresql",
        PackagePattern = @"^postgresql(-client)?-\d+$",
        PackageFolder = "usr/lib/postgresql/*/bin",
    };

    /// <summary>Redis, or Valkey, which serves the same protocol.</summary>
    public static ServerProduct Redis { get; } = new()
    {
        Name = "Redis",
        SourceKey = "--Redis:Source",
        Programs = [["redis-server"], ["valkey-server"]],
        Folders = _ => [.. PathFolders(), "/usr/bin", "/usr/local/bin"],
        Package = "redis-server",
        PackagePattern = "^redis-(server|tools)$",
        PackageFolder = "usr/bin",
    };

    /// <summary>The name, as a person writes it.</summary>
    public required string Name { get; init; }

    /// <summary>The setting that says where the programs come from.</summary>
    public required string SourceKey { get; init; }

    /// <summary>Sets of programs; a folder serves when it has all programs of one set.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Programs { get; init; }

    /// <summary>Folders of this machine where the programs may be, best first. Takes the major version that is preferred, or null.</summary>
    public required Func<string?, IEnumerable<string>> Folders { get; init; }

    /// <summary>The package that brings the server in Debian and its descendants.</summary>
    public required string Package { get; init; }

    /// <summary>Matches the packages that hold its programs, of all that <see cref="Package"/> depends on.</summary>
    [StringSyntax(StringSyntaxAttribute.Regex)]
    public required string PackagePattern { get; init; }

    /// <summary>Where the programs lie in the unpacked package; the last part but one may be <c>*</c>.</summary>
    public required string PackageFolder { get; init; }

    /// <summary>The set of programs that is in the folder, or null.</summary>
    public IReadOnlyList<string>? ProgramsIn(string folder) =>
        Programs.FirstOrDefault(set => set.All(program => IsProgram(Path.Combine(folder, program))));

    // File.Exists also says yes to a link whose target is gone.
    private static bool IsProgram(string file) =>
        File.Exists(file)
        && (File.ResolveLinkTarget(file, returnFinalTarget: true) ?? new FileInfo(file)) is { Exists: true } target
        && target.UnixFileMode.HasFlag(UnixFileMode.UserExecute);

    private static IEnumerable<string> PathFolders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted);

    private static IEnumerable<string> VersionedFolders(string parent) =>
        !Directory.Exists(parent) ? [] :
        from folder in Directory.GetDirectories(parent)
        let version = Path.GetFileName(folder)
        orderby Number(version) descending
        select Path.Combine(folder, "bin");

    private static int Number(string version) => int.TryParse(version, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
