using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenHands.Hosting.Parameters;

/// <summary>
/// An exclusive lock on a file, between processes and within one; it ends with its process. Made with the C library,
/// since .NET's own locks do not wait.
/// </summary>
internal static partial class FileLock
{
    private const int ReadWriteCreateCloseOnExec = 0x80042;
    private const int OnlyUser = 0x180;
    private const int Exclusive = 2;
    private const int Interrupted = 4;

    /// <summary>Waits for the lock; it is held until the handle is disposed. The file stays behind, empty.</summary>
    /// <exception cref="IOException">The file cannot be locked.</exception>
    public static IDisposable Take(string path)
    {
        var file = Open(path, ReadWriteCreateCloseOnExec, OnlyUser);
        while (file.IsInvalid || Lock(file, Exclusive) != 0)
        {
            if (file.IsInvalid || Marshal.GetLastPInvokeError() != Interrupted)
            {
                var reason = Marshal.GetLastPInvokeErrorMessage();
                file.Dispose();
                throw new IOException($"{path}: {reason}");
            }
        }

        return file;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
