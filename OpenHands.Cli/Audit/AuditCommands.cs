using System.CommandLine;
using System.Data;
using System.Globalization;
using System.Text;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Audit;

namespace OpenHands.Cli.Audit;

/// <summary>Verifies the audit log, here or far from the database.</summary>
internal static class AuditCommands
{
    private static readonly Option<FileInfo?> From = new("--file") { Description = "Verify a file of 'audit export' instead of the database.", HelpName = "file" };
    private static readonly Option<FileInfo?> PublicKey = new("--public-key") { Description = "Verify with this key of 'audit public-key' instead of the key ring.", HelpName = "file" };
    private static readonly Option<string?> Head = new("--head") { Description = "The chain must contain this head, as an earlier verification or the worker's log named it.", HelpName = "number:hash" };
    private static readonly Option<FileInfo?> To = new("--output") { Description = "File to write; standard output when it is not given.", HelpName = "file" };

    /// <summary>The verbs below <c>audit</c>.</summary>
    public static Command Create(Verbs verbs) => new("audit", "The audit log and its chain.")
    {
        verbs.Verb("verify", "Finds every event that was edited, deleted, inserted or moved since it was sealed, and says which are not sealed yet. Exit code 1 when something is wrong.", VerifyAsync, From, PublicKey, Head),
        verbs.Verb("export", "Writes the whole log with its chain as JSON lines.", ExportAsync, To),
        verbs.Verb("public-key", "Shows the key that verifies what is signed under the current key of the ring. Anybody may have it.", PublicKeyAsync),
    };

    private static async Task<Outcome> VerifyAsync(Work work, CancellationToken cancellationToken)
    {
        using var verifier = work.Arguments.GetValue(PublicKey) is { } pem ? WithPublicKey(pem) : AuditVerifier.With(work.Installation.Keys);
        var head = work.Arguments.GetValue(Head);
        if (work.Arguments.GetValue(From) is { } file)
            return Answer(await VerifyFileAsync(verifier, file, head, cancellationToken));

        await using var system = await Installation.OpenAsync(work.Installation.System, cancellationToken);
        await using var moment = await system.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        return Answer(await verifier.VerifyAsync(new AuditDatabase(system), head, cancellationToken));
    }

    private static async Task<AuditReport> VerifyFileAsync(AuditVerifier verifier, FileInfo file, string? head, CancellationToken cancellationToken)
    {
        try
        {
            return await verifier.VerifyAsync(new AuditFile(file.FullName), head, cancellationToken);
        }
        catch (FormatException malformed)
        {
            throw new OperatorException($"{file.FullName}: {malformed.Message}");
        }
    }

    private static AuditVerifier WithPublicKey(FileInfo pem)
    {
        try
        {
            return AuditVerifier.WithPublicKey(File.ReadAllText(pem.FullName));
        }
        catch (ArgumentException)
        {
            throw new OperatorException($"{pem.FullName} holds no public key. 'audit public-key' shows it.");
        }
    }

    private static Outcome Answer(AuditReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Events} events in {report.Links} links");
        if (report.Pruned > 0)
            text.Append(CultureInfo.InvariantCulture, $", {report.Pruned} deleted by retention");
        text.AppendLine(report.IsIntact ? ": intact." : string.Create(CultureInfo.InvariantCulture, $": {report.Faults} FAULTS."));
        foreach (var finding in report.Findings)
            text.AppendLine(CultureInfo.InvariantCulture, $"  {finding.Kind}: {finding.Message}");
        text.Append(CultureInfo.InvariantCulture, $"{report.UnsealedCount} not sealed yet{(report.UnsealedCount > 0 ? $": {string.Join(", ", report.Unsealed)}" : "")}.");
        if (report.Head is { } head)
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"Head {head}");
        return new Outcome(text.ToString(), report, report.IsIntact);
    }

    private static async Task<Outcome> ExportAsync(Work work, CancellationToken cancellationToken)
    {
        await using var system = await Installation.OpenAsync(work.Installation.System, cancellationToken);
        await using var moment = await system.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var source = new AuditDatabase(system);
        if (work.Arguments.GetValue(To) is not { } file)
        {
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            await AuditFile.WriteAsync(source, text, cancellationToken);
            return new Outcome(text.ToString().TrimEnd(), new { Lines = text.ToString() });
        }

        await using var output = new StreamWriter(PrivateFile.Create(file.FullName));
        var lines = await AuditFile.WriteAsync(source, output, cancellationToken);
        return new Outcome(string.Create(CultureInfo.InvariantCulture, $"{lines} lines are in {file.FullName}."), new { File = file.FullName, Lines = lines });
    }

    private static Task<Outcome> PublicKeyAsync(Work work, CancellationToken cancellationToken)
    {
        var pem = AuditVerifier.PublicKey(work.Installation.Keys);
        return Task.FromResult(new Outcome(pem, new { PublicKey = pem, KeyId = work.Installation.Keys.KeyIds[0] }));
    }
}
