using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Provisioning;

/// <summary>The programs of a server that can be run on this machine.</summary>
/// <param name="Folder">The folder with the programs.</param>
/// <param name="Programs">Their names; the first is the server.</param>
/// <param name="LibraryPath">Folders with the libraries they need beside those of the system; null: none.</param>
internal sealed record ServerBinaries(string Folder, IReadOnlyList<string> Programs, string? LibraryPath = null)
{
    /// <summary>The path of the server program.</summary>
    public string Server => this[Programs[0]];

    /// <summary>The environment the programs need.</summary>
    public IReadOnlyDictionary<string, string?> Environment =>
        LibraryPath is null ? new Dictionary<string, string?>() : new Dictionary<string, string?> { ["LD_LIBRARY_PATH"] = LibraryPath };

    /// <summary>The path of one of the programs.</summary>
    public string this[string program] => Path.Combine(Folder, program);

    /// <summary>
    /// Finds the programs in the folder that was set, on the machine, or in the cache, where they are put on first use.
    /// </summary>
    /// <param name="product">The server.</param>
    /// <param name="source">Where to look.</param>
    /// <param name="cache">The host's cache directory.</param>
    /// <param name="preferredVersion">The major version the data needs; null: any.</param>
    /// <param name="progress">Gets a line for every step that takes a while.</param>
    /// <param name="cancellationToken">Stops the search and everything it started.</param>
    public static async Task<ServerBinaries> FindAsync(
        ServerProduct product, ServerSource source, string cache, string? preferredVersion, Action<string> progress, CancellationToken cancellationToken)
    {
        if (source.Folder is { } folder)
        {
            return In(product, folder) ?? throw new InvalidOperationException(
                $"{product.SourceKey} is {folder}, where there is no {string.Join(" or ", product.Programs.Select(set => string.Join(" and ", set)))}.");
        }

        var installed = source.UseInstalled ? product.Folders(preferredVersion).Select(folder => In(product, folder)).FirstOrDefault(found => found is not null) : null;
        return installed ?? await new ProvisionedPackages(product, cache, progress).GetAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The version line the server prints, or an exception when it cannot be run here.</summary>
    public async Task<string> GetVersionAsync(CancellationToken cancellationToken)
    {
        var version = "";
        foreach (var program in Programs.Reverse())
        {
            var result = await GuardedCommand.RunAsync(new() { FileName = this[program], Arguments = ["--version"], Environment = Environment }, cancellationToken).ConfigureAwait(false);
            version = result.Succeeded && result.Output is [var line, ..]
                ? line
                : throw new InvalidOperationException($"{this[program]} cannot be run on this machine: {result.Tail}");
        }

        return version;
    }

    // A folder on PATH may hold links only; the account that runs the server must be able to enter the real one.
    private static ServerBinaries? In(ServerProduct product, string folder)
    {
        if (product.ProgramsIn(folder) is not { } programs)
        {
            return null;
        }

        var target = File.ResolveLinkTarget(Path.Combine(folder, programs[0]), returnFinalTarget: true);
        var real = Path.GetDirectoryName(target?.FullName);
        return new(real is not null && product.ProgramsIn(real) is not null ? real : folder, programs);
    }
}
