using System.Globalization;
using System.Text.RegularExpressions;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Provisioning;

/// <summary>
/// Unpacks a server and the libraries it needs from the packages of Debian or Ubuntu into a folder, without root and
/// without installing anything. apt itself checks signatures and hashes, with private lists and an empty package
/// database, so that the result is complete whatever is installed on the machine.
/// </summary>
internal sealed partial class DebianPackages(ServerProduct product, string folder, Action<string> progress, string tools = "/usr/bin")
{
    private const string MachineLists = "/var/lib/apt/lists";

    // The machine's own C and C++ runtime stays in charge: .NET needs it too, and the loader must fit it.
    private static readonly string[] LeftOut = ["libc6", "libc-bin", "libc-l10n", "libcrypt1", "libgcc-s1", "libstdc++6"];

    /// <summary>Unpacks the packages into <paramref name="target"/> and returns their names and versions.</summary>
    public async Task<IReadOnlyList<string>> UnpackAsync(string target, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(tools, "apt-get")) || !File.Exists(Path.Combine(tools, "dpkg-deb")))
        {
            throw Failed("this system has no apt-get to fetch it with");
        }

        Directory.CreateDirectory(Path.Combine(folder, "state", "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(folder, "cache", "archives", "partial"));
        Directory.CreateDirectory(Path.Combine(folder, "packages"));
        await File.WriteAllTextAsync(Path.Combine(folder, "status"), "", cancellationToken).ConfigureAwait(false);

        var packages = await FetchAsync(cancellationToken).ConfigureAwait(false);
        progress($"{product.Name}: unpacking {packages.Count} packages");
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, 4), CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packages, parallel, (package, token) => UnpackAsync(package, target, token)).ConfigureAwait(false);
        return [.. packages.Select(package => package.Selection)];
    }

    /// <summary>True for a package that the server needs in its folder: itself and shared libraries, less what only optional parts use.</summary>
    internal bool IsNeeded(string package) =>
        Regex.IsMatch(package, product.PackagePattern)
        || (package.StartsWith("lib", StringComparison.Ordinal)
            && !LeftOut.Contains(package)
            && !UnneededLibrary().IsMatch(package));

    // LLVM (with z3) compiles queries, which is switched off; Perl and the rest serve installation scripts.
    [GeneratedRegex("^lib(llvm|z3-|.*perl|pam-modules|semanage|sepol|gdbm|audit-common)")]
    private static partial Regex UnneededLibrary();

    [GeneratedRegex(@"^Inst (?<name>\S+) (\[\S+\] )?\((?<version>\S+) ")]
    private static partial Regex InstLine();

    [GeneratedRegex(@"^'(?<address>[^']+)' (?<file>\S+) (?<size>\d+)")]
    private static partial Regex UriLine();

    private async Task<IReadOnlyList<Package>> FetchAsync(CancellationToken cancellationToken)
    {
        // The machine's own lists save the update, unless they are out of date or of no use.
        if (Directory.Exists(MachineLists) && Directory.EnumerateFiles(MachineLists, "*Packages*").Any())
        {
            try
            {
                return await FetchAsync(MachineLists, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidOperationException)
            {
                // Said below, if fresh lists do not help either.
            }
        }

        progress($"{product.Name}: updating the package lists");
        var lists = Path.Combine(folder, "state", "lists");
        var update = await AptAsync(lists, ["update"], cancellationToken).ConfigureAwait(false);
        try
        {
            return await FetchAsync(lists, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (!update.Succeeded)
        {
            throw Failed($"the package lists could not be updated (is there a network?): {update.Tail}");
        }
    }

    private async Task<IReadOnlyList<Package>> FetchAsync(string lists, CancellationToken cancellationToken)
    {
        var plan = await DemandAsync(lists, ["--simulate", "--no-install-recommends", "install", product.Package], cancellationToken).ConfigureAwait(false);
        var selections = plan.Output.Select(line => InstLine().Match(line))
            .Where(match => match.Success && IsNeeded(match.Groups["name"].Value))
            .Select(match => $"{match.Groups["name"].Value}={match.Groups["version"].Value}")
            .ToArray();

        // Elsewhere than the download, since apt does not list what lies in the working directory already.
        var addresses = await DemandAsync(lists, ["--print-uris", "download", .. selections], cancellationToken, "state").ConfigureAwait(false);
        var files = addresses.Output.Select(line => UriLine().Match(line)).Where(match => match.Success).ToArray();
        var bytes = files.Sum(match => long.Parse(match.Groups["size"].Value, CultureInfo.InvariantCulture));
        progress($"{product.Name}: downloading {files.Length} packages ({Math.Max(1, bytes / 1_000_000)} MB)");
        await DemandAsync(lists, ["download", .. selections], cancellationToken).ConfigureAwait(false);

        return [.. files.Select(match => Path.Combine(folder, "packages", match.Groups["file"].Value)).Select(file => new Package(
            File.Exists(file) ? file : throw Failed($"apt-get download left no {Path.GetFileName(file)}"),
            Path.GetFileNameWithoutExtension(file)))];
    }

    private async ValueTask UnpackAsync(Package package, string target, CancellationToken cancellationToken)
    {
        var result = await GuardedCommand.RunAsync(new() { FileName = Path.Combine(tools, "dpkg-deb"), Arguments = ["--extract", package.File, target] }, cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded)
        {
            throw Failed($"{Path.GetFileName(package.File)} could not be unpacked: {result.Tail}");
        }
    }

    private async Task<CommandResult> DemandAsync(string lists, IReadOnlyList<string> arguments, CancellationToken cancellationToken, string workingFolder = "packages")
    {
        var result = await AptAsync(lists, arguments, cancellationToken, workingFolder).ConfigureAwait(false);
        return result.Succeeded ? result : throw Failed($"apt-get {arguments[0].TrimStart('-')} failed: {result.Tail}");
    }

    private Task<CommandResult> AptAsync(string lists, IReadOnlyList<string> arguments, CancellationToken cancellationToken, string workingFolder = "packages") => GuardedCommand.RunAsync(new()
    {
        FileName = Path.Combine(tools, "apt-get"),
        Arguments = [
            "--quiet",
            .. Option($"Dir::State={Path.Combine(folder, "state")}"),
            .. Option($"Dir::State::lists={lists}"),
            .. Option($"Dir::State::status={Path.Combine(folder, "status")}"),
            .. Option($"Dir::Cache={Path.Combine(folder, "cache")}"),
            // Parsed lists are kept between the calls; images for containers switch that off.
            .. Option("Dir::Cache::pkgcache=pkgcache.bin"),
            .. Option("Dir::Cache::srcpkgcache=srcpkgcache.bin"),
            .. Option("Debug::NoLocking=1"),
            // Downloads are ours to keep: as root, apt would give them to its own account.
            .. Option("APT::Sandbox::User="),
            .. Option("Acquire::Retries=2"),
            .. Option("Acquire::http::Timeout=20"),
            .. Option("Acquire::https::Timeout=20"),
            .. arguments],
        Environment = new Dictionary<string, string?> { ["LC_ALL"] = "C", ["DEBIAN_FRONTEND"] = "noninteractive" },
        WorkingDirectory = Path.Combine(folder, workingFolder),
    }, cancellationToken);

    private static IEnumerable<string> Option(string setting) => ["-o", setting];

    private InvalidOperationException Failed(string reason) => new(
        $"{product.Name} is not there, and {reason}{Environment.NewLine}Install {product.Name}, or pass {product.SourceKey}=<folder with {product.Programs[0][0]}>.");

    private sealed record Package(string File, string Selection);
}
