using System.Diagnostics;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>Renders kustomizations with the machine's kubectl. No cluster is asked.</summary>
internal static class Kubectl
{
    /// <summary>Folder of the manifests in the checkout.</summary>
    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!, "deploy/kubernetes");

    /// <summary>The program. Where there is none the test is left to .ci/run, which installs it and does without this way out.</summary>
    public static string Program
    {
        get
        {
            var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);
            Assert.SkipWhen(
                found is null && Environment.GetEnvironmentVariable("REQUIRE_KUBECTL") is null,
                "There is no kubectl on this machine: .ci/run installs it and runs this test.");
            return found ?? throw new InvalidOperationException("kubectl is missing: .ci/kubectl installs it.");
        }
    }

    /// <summary>An overlay as `kubectl kustomize` renders it, with components on top.</summary>
    public static async Task<string> RenderAsync(string overlay, params string[] components)
    {
        var work = Directory.CreateTempSubdirectory("openhands-overlay-");
        try
        {
            string Relative(string path) => Path.GetRelativePath(work.FullName, Path.Combine(Folder, path));
            await File.WriteAllTextAsync(
                Path.Combine(work.FullName, "kustomization.yaml"),
                $"""
                apiVersion: kustomize.config.k8s.io/v1beta1
                kind: Kustomization
                resources: ["{Relative(overlay)}"]
                components: [{string.Join(", ", components.Select(component => $"\"{Relative($"components/{component}")}\""))}]
                """,
                TestContext.Current.CancellationToken);
            var (exitCode, output, errors) = await RunAsync(Program, "kustomize", work.FullName);
            Assert.True(exitCode == 0, errors);
            return output;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var token = TestContext.Current.CancellationToken;
        var errors = process.StandardError.ReadToEndAsync(token);
        var output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return (process.ExitCode, output, await errors);
    }
}
