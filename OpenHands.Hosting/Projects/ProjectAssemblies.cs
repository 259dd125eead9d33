using System.Reflection;
using System.Runtime.InteropServices;
using Aspire.Hosting;

namespace OpenHands.Hosting.Projects;

/// <summary>Finds what a project was built to: the build of the AppHost writes it into the AppHost's assembly.</summary>
/// <param name="appHost">The AppHost's assembly.</param>
internal sealed class ProjectAssemblies(Assembly appHost)
{
    private const string Key = "projectoutput:";

    /// <summary>The .NET host that runs this process.</summary>
    public static string Dotnet { get; } = FindDotnet();

    /// <summary>The assembly of a project.</summary>
    /// <exception cref="DistributedApplicationException">It was not built.</exception>
    public string PathOf(string projectPath)
    {
        var path = appHost.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(metadata => metadata.Key == Key + projectPath)?.Value;
        return path is not null && File.Exists(path)
            ? path
            : throw new DistributedApplicationException($"{projectPath} was not built. Build the AppHost without --no-build once.");
    }

    /// <summary>The assembly of a project that the AppHost references but does not describe; null when it does not, or it was not built.</summary>
    public string? Find(string projectName) => appHost.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Where(metadata => metadata.Key.StartsWith(Key, StringComparison.Ordinal) && Path.GetFileNameWithoutExtension(metadata.Key) == projectName)
        .Select(metadata => metadata.Value).FirstOrDefault(File.Exists);

    private static string FindDotnet()
    {
        // <root>/shared/Microsoft.NETCore.App/<version>/
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var dotnet = Path.Combine(root, "dotnet");
        return File.Exists(dotnet) ? dotnet : "dotnet";
    }
}
