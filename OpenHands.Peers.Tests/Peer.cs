using System.ComponentModel;
using System.Diagnostics;

namespace OpenHands.Peers.Tests;

/// <summary>Runs a program of others. A program that is not there fails the test.</summary>
internal static class Peer
{
    /// <summary>What it prints, once it has ended well.</summary>
    /// <param name="program">Its name on the path, or its path.</param>
    /// <param name="arguments">Its arguments; no secret belongs there.</param>
    /// <param name="input">What it reads on standard input.</param>
    /// <param name="environment">Variables it is given.</param>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Start(start);
        var cancelled = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(cancelled);
        var errors = process.StandardError.ReadToEndAsync(cancelled);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancelled);
        Assert.True(process.ExitCode == 0, $"{program} ended with exit code {process.ExitCode}: {await errors}");
        return await output;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException($"{start.FileName} is missing ({exception.Message}): .ci/peers installs it.", exception);
        }
    }
}
