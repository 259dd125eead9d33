using System.Diagnostics;
using OpenHands.Hosting.Projects;
using OpenHands.Tests.Hosting.Running;

namespace OpenHands.Tests.Hosting.Publishing;

/// <summary>What a run of the AppHost as a program came to.</summary>
internal sealed record AppHostProcess(int ExitCode, string Output, string Errors)
{
    /// <summary>Runs the AppHost to its end, with data and cache below a folder.</summary>
    public static async Task<AppHostProcess> RunAsync(string folder, params string[] args)
    {
        var token = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(ProjectAssemblies.Dotnet)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] own = [$"--Data:Directory={folder}/data", $"--Cache:Directory={folder}/cache"];
        foreach (var argument in (string[])["exec", HostProcess.Program, .. own, .. args])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(token);
            var errors = process.StandardError.ReadToEndAsync(token);
            await process.WaitForExitAsync(token);
            return new AppHostProcess(process.ExitCode, await output, await errors);
        }
        finally
        {
            process.Kill(entireProcessTree: true); // only a run that should have ended is still there
        }
    }
}
