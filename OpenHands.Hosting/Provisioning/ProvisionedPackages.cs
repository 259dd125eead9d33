using System.Runtime.InteropServices;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Provisioning;

/// <summary>
/// The programs of a server in the host's cache: a folder per system and product that appears complete or not at all,
/// made once however many hosts ask for it at the same time.
/// </summary>
internal sealed class ProvisionedPackages(ServerProduct product, string cache, Action<string> progress)
{
    private const string Marker = "packages.txt";

    // Both, since packages of one release may still disagree on which is the real folder.
    private static readonly string[] LibraryFolders = ["usr/lib", "lib"];
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);

    // Libraries of one release do not fit the next, and a home directory may be shared by several machines.
    private readonly string _folder = Path.Combine(cache, "servers", SystemName());

    private string Tree => Path.Combine(_folder, product.Package);

    private string Work => Tree + ".new";

    /// <summary>The programs, provisioned first if they are not there.</summary>
    public async Task<ServerBinaries> GetAsync(CancellationToken cancellationToken)
    {
        if (Published() is { } ready)
        {
            return ready;
        }

        OpenFolder.Create(_folder);
        await using var turn = await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        return Published() ?? await ProvisionAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string SystemName()
    {
        var release = File.Exists("/etc/os-release")
            ? File.ReadLines("/etc/os-release").Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1].Trim('"', '\''))
            : null;
        var name = $"{release?["ID"].FirstOrDefault() ?? "linux"}-{release?["VERSION_ID"].FirstOrDefault() ?? "0"}-{RuntimeInformation.ProcessArchitecture}";
        return string.Concat(name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' ? letter : '_'));
    }

    private ServerBinaries? Published() => File.Exists(Path.Combine(Tree, Marker)) ? Binaries(Tree) : null;

    private async Task<ServerBinaries> ProvisionAsync(CancellationToken cancellationToken)
    {
        // Left by a run that was killed; the packages it had downloaded are kept elsewhere and used again.
        DeleteFolder(Work);
        OpenFolder.Create(Work);

        var packages = await new DebianPackages(product, Path.Combine(_folder, product.Package + ".apt"), progress).UnpackAsync(Work, cancellationToken).ConfigureAwait(false);
        var binaries = Binaries(Work) ?? throw new InvalidOperationException($"{product.Name}: the packages {string.Join(", ", packages)} do not hold the programs.");
        var version = await binaries.GetVersionAsync(cancellationToken).ConfigureAwait(false);
        await File.WriteAllLinesAsync(Path.Combine(Work, Marker), [version, .. packages], cancellationToken).ConfigureAwait(false);

        DeleteFolder(Tree);
        Directory.Move(Work, Tree);
        DeleteFolder(Path.Combine(_folder, product.Package + ".apt"));
        progress($"{product.Name}: {version} is ready in {Tree}");
        return Published()!; // Moved there just now, under the lock.
    }

    private ServerBinaries? Binaries(string root)
    {
        var folder = Expand(root, product.PackageFolder).FirstOrDefault(folder => product.ProgramsIn(folder) is not null);
        if (folder is null)
        {
            return null;
        }

        var libraries = LibraryFolders.Select(part => Path.Combine(root, part)).Where(Directory.Exists)
            .SelectMany(part => Directory.GetDirectories(part, "*-linux-*"));
        return new ServerBinaries(folder, product.ProgramsIn(folder)!, string.Join(':', libraries)); // There, by the search above.
    }

    private static IEnumerable<string> Expand(string root, string pattern) => pattern.Split('/').Aggregate(
        Enumerable.Repeat(root, 1),
        (folders, part) => folders.SelectMany(folder => !Directory.Exists(folder) ? [] : Directory.GetDirectories(folder, part)));

    private async Task<FileStream> TakeTurnAsync(CancellationToken cancellationToken)
    {
        var said = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(Path.Combine(_folder, product.Package + ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Directory.Exists(_folder))
            {
                if (!said)
                {
                    said = true;
                    progress($"{product.Name}: another host is downloading it, waiting");
                }

                await Task.Delay(LockPoll, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
