using System.Runtime.InteropServices;

namespace OpenHands.Hosting.Parameters;

/// <summary>An exclusive lock on a file, between processes and within one; it ends with its process.</summary>
internal static partial class FileLock
{
    private const int Exclusive = 2;
    private const int Interrupted = 4;

    /// <summary>Waits for the lock; it is held until the stream is disposed. The file stays behind, empty.</summary>
    /// <exception cref="IOException">The file cannot be locked.</exception>
    public static FileStream Take(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        // .NET's own locks do not wait.
        while (!OperatingSystem.IsWindows() && Lock((int)file.SafeFileHandle.DangerousGetHandle(), Exclusive) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                file.Dispose();
                throw new IOException($"{path} cannot be locked: {Marshal.GetLastPInvokeErrorMessage()}.");
            }
        }

        return file;
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int descriptor, int operation);
}
