using System.CommandLine;
using System.Globalization;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Import;

/// <summary>Brings in what a single-user OpenHands keeps in files.</summary>
internal static class ImportCommands
{
    // The one user of the local mode.
    private const string LocalUser = "0198c0de000070008000000000000001";

    private static readonly Option<DirectoryInfo> From = new("--from")
    {
        Description = "Folder of the file store.",
        HelpName = "folder",
        DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".openhands")),
    };

    private static readonly Option<string> User = new("--user") { Description = "Id of the user who gets it; the local user when it is not given.", HelpName = "id", DefaultValueFactory = _ => LocalUser };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Give secrets that are there already the value from the file; without it they stay." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    /// <summary>The verb <c>import-openhands</c>.</summary>
    public static Command Create(Verbs verbs) => verbs.Verb(
        "import-openhands", "Brings settings.json, secrets.json and the metadata of conversations of a single-user OpenHands (~/.openhands) into this installation. Can be given again.",
        RunAsync, From, User, Overwrite, DryRun);

    private static async Task<Outcome> RunAsync(Work work, CancellationToken cancellationToken)
    {
        var folder = work.Arguments.GetValue(From)!;
        if (!folder.Exists)
            throw new OperatorException($"There is no folder {folder.FullName}. Name it with --from.");
        var dryRun = work.Arguments.GetValue(DryRun);
        var found = FileStore.Read(folder.FullName);
        await using var stores = await Stores.OpenAsync(work.Installation, work.Arguments.GetValue(User)!, null);
        var report = await new FileStoreImport(stores, work.Arguments.GetValue(User)!, work.Arguments.GetValue(Overwrite), dryRun, work.Time).RunAsync(found, cancellationToken);
        var text = string.Join('\n', report.Lines.Select(line => $"{line.Result,-9} {line.Kind,-15} {line.Name}{(line.Reason is null ? "" : $": {line.Reason}")}"));
        var (taken, kept, refused) = (report.Count(ImportResult.Taken), report.Count(ImportResult.Kept), report.Count(ImportResult.Refused));
        return new Outcome(
            string.Create(CultureInfo.InvariantCulture, $"{text}\n\n{(dryRun ? "Nothing was done; it would be: " : "")}{taken} taken, {kept} kept as they are, {refused} refused.").TrimStart(),
            new { DryRun = dryRun, Taken = taken, Kept = kept, Refused = refused, report.Lines }, refused == 0);
    }
}
