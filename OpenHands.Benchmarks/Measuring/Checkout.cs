using System.Runtime.CompilerServices;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>The sources that this program was built from: it starts more of them than itself.</summary>
internal static class Checkout
{
    /// <summary>Where the packages and programs for node are; <c>npm install --prefix OpenHands.Benchmarks/npm</c> installs the former.</summary>
    public static string Npm => Path.Combine(Folder(), "OpenHands.Benchmarks", "npm");

    /// <summary>The project of the application.</summary>
    public static string AppHost => Path.Combine(Folder(), "OpenHands.AppHost");

    private static string Folder([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
