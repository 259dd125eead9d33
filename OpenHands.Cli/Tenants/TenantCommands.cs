using System.CommandLine;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Tenants;

/// <summary>Takes a tenant out of an installation, into another, or out of the world.</summary>
internal static class TenantCommands
{
    private static readonly Option<string?> Organization = new("--organization") { Description = "Id of the organization.", HelpName = "id" };
    private static readonly Option<string?> User = new("--user") { Description = "Id of the user, for what is the user's own.", HelpName = "id" };
    private static readonly Option<FileInfo> Output = new("--output") { Description = "File to write.", Required = true, HelpName = "file" };
    private static readonly Option<FileInfo> KeyFile = new("--key-file") { Description = "File with the key that the secrets in the export are encrypted under; made when it is not there. Keep it apart from the export.", Required = true, HelpName = "file" };
    private static readonly Argument<FileInfo> Export = new("file") { Description = "An export." };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };
    private static readonly Option<bool> Yes = new("--yes") { Description = "Needed: what is erased cannot be brought back." };
    private static readonly Option<DirectoryInfo[]> Backups = new("--backup")
    {
        Description = "A backup set from which the tenant's key is removed, too, so that nothing of the tenant can be read from it any more. May be given several times.",
        HelpName = "folder",
    };

    /// <summary>The verbs below <c>tenant</c>.</summary>
    public static Command Create(Verbs verbs) => new("tenant", "One organization with everything that is its own, or one user with what is the user's own.")
    {
        verbs.Verb("export", "Writes everything of a tenant into a file. Secrets in it are encrypted under a key of their own.", ExportAsync, Organization, User, Output, KeyFile),
        verbs.Verb("import", "Brings an exported tenant into this installation, all or nothing. Secrets come under the key ring of this installation.", ImportAsync, Export, KeyFile, DryRun),
        verbs.Verb("erase", "Destroys the key of a tenant, so that no copy of its secrets can be read any more, then deletes its rows, and proves it by trying to read.", EraseAsync, Organization, User, Yes, Backups),
    };

    private static async Task<Outcome> ExportAsync(Work work, CancellationToken cancellationToken)
    {
        var scope = ScopeOf(work);
        await using var connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        var keys = ExportKey(work.Arguments.GetValue(KeyFile)!, mayMake: true);
        await using var file = PrivateFile.Create(work.Arguments.GetValue(Output)!.FullName);
        await using var writer = new StreamWriter(file);
        var counts = await new TenantExport(connection, work.Installation, keys, work.Time).WriteAsync(scope, writer, cancellationToken);
        return new Outcome($"{scope} is in {file.Name}: {Describe(counts)}.", new { File = file.Name, Rows = counts });
    }

    private static async Task<Outcome> ImportAsync(Work work, CancellationToken cancellationToken)
    {
        await using var connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        var keys = ExportKey(work.Arguments.GetValue(KeyFile)!, mayMake: false);
        var dryRun = work.Arguments.GetValue(DryRun);
        var (scope, counts) = await new TenantImport(connection, work.Installation, keys, work.Time).ReadAsync(work.Arguments.GetValue(Export)!.FullName, dryRun, cancellationToken);
        return new Outcome($"{scope} {(dryRun ? "can be" : "is")} imported: {Describe(counts)}.", new { DryRun = dryRun, Rows = counts });
    }

    private static async Task<Outcome> EraseAsync(Work work, CancellationToken cancellationToken)
    {
        var scope = ScopeOf(work);
        if (!work.Arguments.GetValue(Yes))
            throw new OperatorException($"{scope} would be erased for ever. Say so with --yes; 'tenant export' before keeps a copy.");
        await using var connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        var erased = await new TenantErasure(connection, work.Installation, work.Time).EraseAsync(scope, work.Arguments.GetValue(Backups) ?? [], cancellationToken);
        return new Outcome(
            $"""
            {scope} is erased: its key is destroyed, {Describe(erased.Rows)} deleted.
            {(erased.Tried == 0 ? "It had no secrets." : $"Tried to read {erased.Tried} of its ciphertexts with the key ring afterwards: every one was refused.")}
            Backups that still hold its key: give them with --backup, or let them expire.
            """,
            erased);
    }

    private static TenantScope ScopeOf(Work work) => (work.Arguments.GetValue(Organization), work.Arguments.GetValue(User)) switch
    {
        ({ } organization, null) => new TenantScope("organization", organization),
        (null, { } user) => new TenantScope("user", user),
        _ => throw new OperatorException("Name either --organization <id> or --user <id>."),
    };

    private static KeyRing ExportKey(FileInfo file, bool mayMake)
    {
        if (!file.Exists && mayMake)
        {
            using var made = new StreamWriter(PrivateFile.Create(file.FullName));
            made.WriteLine(System.Security.Cryptography.RandomNumberGenerator.GetHexString(64, lowercase: true));
        }

        var key = File.ReadAllText(file.FullName).Trim();
        return key.Length >= 32 ? new KeyRing(key) : throw new OperatorException($"{file.FullName} holds no key of an export.");
    }

    private static string Describe(IReadOnlyDictionary<string, long> counts) =>
        string.Join(", ", counts.Where(count => count.Value > 0).Select(count => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count.Value} {count.Key}"))) is { Length: > 0 } text ? text : "nothing";
}

/// <summary>Which tenant is meant.</summary>
/// <param name="Kind"><c>organization</c> or <c>user</c>.</param>
/// <param name="Id">Its id.</param>
internal sealed record TenantScope(string Kind, string Id)
{
    /// <summary>Whether it is an organization.</summary>
    public bool IsOrganization => Kind == "organization";

    /// <summary>The owner of its secrets.</summary>
    public SecretOwner Owner => IsOrganization ? SecretOwner.Organization(Id) : SecretOwner.User(Id);

    /// <summary>Which rows of a table are its; null for none.</summary>
    public string? RowsOf(TenantTable table) => IsOrganization ? table.OfOrganization : table.OfUser;

    /// <inheritdoc />
    public override string ToString() => $"{(IsOrganization ? "Organization" : "User")} {Id}";
}
