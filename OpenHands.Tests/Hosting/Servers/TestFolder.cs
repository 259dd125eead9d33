namespace OpenHands.Tests.Hosting.Servers;

/// <summary>A temporary folder that servers of another account can enter; removed at the end of the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode Everyone = OnlyOwner | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public TestFolder(UnixFileMode mode = Everyone) => File.SetUnixFileMode(Path, mode);

    public string Path { get; } = Directory.CreateTempSubdirectory("openhands-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
