using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>The names Aspire gives volumes: application, ten hex digits that tell checkouts apart, resource, suffix.</summary>
internal static class VolumeName
{
    private const int HashCharacters = 10;

    public static string For<T>(IResourceBuilder<T> builder, string suffix)
        where T : IResource
    {
        var application = builder.ApplicationBuilder;
        var name = application.Environment.ApplicationName;
        var project = application.AppHostAssembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(metadata => metadata.Key == "apphostprojectname")?.Value ?? name;
        // A published volume must not depend on where the checkout lies; one of this machine must.
        var seed = application.ExecutionContext.IsPublishMode ? project : Path.Join(application.AppHostDirectory, project).ToLowerInvariant();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)))[..HashCharacters];
        return $"{Allowed(name).ToLowerInvariant()}-{hash}-{builder.Resource.Name}-{suffix}";
    }

    private static string Allowed(string name) =>
        string.Concat(name.Select((c, i) => char.IsAsciiLetterOrDigit(c) || (i > 0 && c is '_' or '.' or '-') ? c : '_'));
}
