using System.CommandLine;
using OpenHands.Cli.Audit;
using OpenHands.Cli.Backups;
using OpenHands.Cli.Diagnosis;
using OpenHands.Cli.Import;
using OpenHands.Cli.Keys;
using OpenHands.Cli.Tenants;
using OpenHands.Cli.Terminal;

namespace OpenHands.Cli;

/// <summary>The operator's executable: one verb after the other, as <c>--help</c> lists them.</summary>
internal static class OperatorProgram
{
    /// <summary>Does what the command line says.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Progress and complaints.</param>
    /// <param name="settings">Configuration instead of the environment's, for a test; null for the environment's.</param>
    /// <returns>0 when it was done, 1 when it failed or something was found, 2 when the command line is not understood.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var verbs = new Verbs(output, error, TimeProvider.System, settings);
        var root = new RootCommand("Operates an installation of OpenHands on .NET. docs/operations.md says what to do when.")
        {
            RotateCommand.Create(verbs), KeyCommands.Create(verbs), AuditCommands.Create(verbs), TenantCommands.Create(verbs), ImportCommands.Create(verbs),
            BackupCommands.CreateBackup(verbs), BackupCommands.CreateRestore(verbs), DoctorCommand.Create(verbs), SupportBundleCommand.Create(verbs),
        };
        root.Options.Add(verbs.Json);
        root.Options.Add(verbs.AppData);

        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        var invocation = new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
        var code = await parsed.InvokeAsync(invocation);
        return parsed.Errors.Count > 0 ? Verbs.NotUnderstood : code;
    }
}
