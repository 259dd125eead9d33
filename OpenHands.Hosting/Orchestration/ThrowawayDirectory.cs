namespace OpenHands.Hosting.Orchestration;

/// <summary>A new folder for data that ends with the run.</summary>
internal static class ThrowawayDirectory
{
    /// <summary>Its parent must be enterable by the account a server runs under, so it lies in the temporary folder.</summary>
    public static string Create(string resource) =>
        Path.Combine(Path.GetTempPath(), $"openhands-{resource}-{Guid.CreateVersion7():N}");
}
