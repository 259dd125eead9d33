using OpenHands.Cli;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Cli;

/// <summary>The operator's command line, run in this process against a test's database.</summary>
internal sealed class CliInstallation(TestDatabase database, string keyRing, string? previous = null, string? redis = null, int? pool = null)
{
    public const string KeyRing = "a key of the ring of the operator, more than 32 characters";

    /// <summary>The key ring as the command line has it.</summary>
    public string Ring => keyRing;

    /// <summary>Runs a command and gives back what it wrote.</summary>
    public async Task<CliRun> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await OperatorProgram.RunAsync(args, output, error, Settings());
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command that must succeed.</summary>
    public async Task<string> DoAsync(params string[] args)
    {
        var run = await RunAsync(args);
        Assert.True(run.Code == 0, $"{string.Join(' ', args)}: {run.Code}\n{run.Output}\n{run.Error}");
        return run.Output;
    }

    /// <summary>What the environment says to the command line.</summary>
    public Dictionary<string, string?> Settings() => new()
    {
        ["ConnectionStrings:openhands-admin"] = database.Administrator,
        ["ConnectionStrings:openhands"] = pool is { } most ? $"{database.App};Maximum Pool Size={most}" : database.App,
        ["ConnectionStrings:openhands-system"] = database.System,
        ["ConnectionStrings:secrets"] = keyRing,
        ["ConnectionStrings:redis"] = redis,
        ["Secrets:PreviousKeys"] = previous,
    };
}

/// <summary>What a command did.</summary>
internal sealed record CliRun(int Code, string Output, string Error);
