using System.CommandLine;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli.Backups;

/// <summary>Database, key ring and files as one set.</summary>
internal static class BackupCommands
{
    private static readonly Argument<string> Folder = new("folder") { Description = "Folder of the set." };
    private static readonly Option<FileSystemInfo[]> Include = new("--include") { Description = "A file or folder to take along, such as a folder of uploads. May be given several times.", HelpName = "path" };
    private static readonly Option<string?> Postgres = new("--postgres") { Description = "Where pg_dump and pg_restore come from: auto, provisioned, or a folder.", HelpName = "source" };
    private static readonly Option<bool> Check = new("--check") { Description = "Only check that the set is whole and that the key ring of this installation fits it." };
    private static readonly Option<bool> UseRing = new("--with-key-ring-of-the-set") { Description = "Check against the ring in the set instead of that of this installation: the processes must be started with it." };
    private static readonly Option<string?> FilesTo = new("--files-to") { Description = "Folder that the files of the set are put into.", HelpName = "folder" };

    /// <summary>The verb <c>backup</c>.</summary>
    public static Command CreateBackup(Verbs verbs) => verbs.Verb(
        "backup", "Writes database, key ring and files into a new folder, while users go on. The folder holds everything that is needed to read all secrets: guard it like the key ring.",
        async (work, cancellationToken) => await Backup.WriteAsync(work, work.Arguments.GetValue(Folder)!, work.Arguments.GetValue(Include) ?? [], work.Arguments.GetValue(Postgres), cancellationToken),
        Folder, Include, Postgres);

    /// <summary>The verb <c>restore</c>.</summary>
    public static Command CreateRestore(Verbs verbs) => verbs.Verb(
        "restore", "Brings a set into an empty database, and refuses a set that is damaged or whose key ring does not fit. Stop api and worker before; start them afterwards.",
        async (work, cancellationToken) => await Restore.RunAsync(
            work, work.Arguments.GetValue(Folder)!, work.Arguments.GetValue(Check), work.Arguments.GetValue(UseRing), work.Arguments.GetValue(FilesTo), work.Arguments.GetValue(Postgres), cancellationToken),
        Folder, Check, UseRing, FilesTo, Postgres);
}
