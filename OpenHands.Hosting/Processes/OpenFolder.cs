namespace OpenHands.Hosting.Processes;

/// <summary>Makes folders that a server which has dropped root can enter too, whatever root's umask is.</summary>
internal static class OpenFolder
{
    private const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Creates the folder and those above it. What exists keeps its mode; an ordinary user's umask is respected.</summary>
    public static void Create(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(path) is { } parent)
        {
            Create(parent);
        }

        Directory.CreateDirectory(path);
        if (Environment.IsPrivilegedProcess)
        {
            File.SetUnixFileMode(path, Everyone);
        }
    }
}
