using System.Runtime.InteropServices;

namespace OpenHands.Hosting.Processes;

/// <summary>The few calls of the C library that .NET has no method for.</summary>
internal static partial class LibC
{
    /// <summary>The effective user id of this process.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    /// <summary>The effective group id of this process.</summary>
    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint GetEffectiveGroupId();

    /// <summary>True when the user id has an entry in the user database.</summary>
    public static bool HasAccount(uint user) => GetAccount(user) != 0;

    /// <summary>Changes the owner of a file, a directory, or a symbolic link itself.</summary>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (LinkChangeOwner(path, user, group) != 0)
        {
            throw new IOException($"The owner of {path} could not be changed to {user}:{group}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>Sends a signal to a process; false when there is no such process or it is not ours to signal.</summary>
    public static bool Signal(int processId, int signal) => Kill(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "getpwuid")]
    private static partial nint GetAccount(uint user);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
