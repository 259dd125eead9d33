using System.Globalization;

namespace OpenHands.Hosting.Processes;

/// <summary>The account a server runs under. PostgreSQL refuses to be root, and no server has a reason to be.</summary>
internal sealed class ServerAccount
{
    private static readonly string[] Preferred = ["postgres", "nobody"];

    private readonly (uint User, uint Group)? _owner;

    private ServerAccount(string name, IReadOnlyList<string> commandPrefix, (uint User, uint Group)? owner)
    {
        Name = name;
        CommandPrefix = commandPrefix;
        _owner = owner;
    }

    /// <summary>The account of this process.</summary>
    public static ServerAccount Own { get; } = new(Environment.UserName, [], null);

    /// <summary>Its name, for messages.</summary>
    public string Name { get; }

    /// <summary>The command that drops root and then becomes the program named after it; empty when there is nothing to drop.</summary>
    public IReadOnlyList<string> CommandPrefix { get; }

    /// <summary>
    /// The account that can enter all these directories. An ordinary user stays what it is; root becomes
    /// <c>postgres</c> or else <c>nobody</c>, or, below a directory that only root can enter, root without its name
    /// and powers in a user namespace. Throws when none of these works.
    /// </summary>
    public static async Task<ServerAccount> ChooseAsync(IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess && LibC.HasAccount(LibC.GetEffectiveUserId()))
        {
            return Own;
        }

        foreach (var candidate in Candidates())
        {
            if (await candidate.CanEnterAsync(directories, cancellationToken).ConfigureAwait(false))
            {
                return candidate;
            }
        }

        // An unknown user id is a problem for PostgreSQL only, which says so better.
        return !Environment.IsPrivilegedProcess ? Own : throw new InvalidOperationException(
            $"Servers do not run as root, and no other account can enter {string.Join(" and ", directories)}. " +
            "Choose a --Data:Directory that the user 'postgres' or 'nobody' can enter, or run as an ordinary user.");
    }

    /// <summary>Makes the account the owner of a file, or of a directory and everything below it.</summary>
    public void TakeOver(string path)
    {
        // Without a change of user id everything belongs to us; an earlier run may have left it to another account.
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        var (user, group) = _owner ?? (LibC.GetEffectiveUserId(), LibC.GetEffectiveGroupId());
        LibC.ChangeOwner(path, user, group);
        if (Directory.Exists(path))
        {
            var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
            foreach (var entry in Directory.EnumerateFileSystemEntries(path, "*", everything))
            {
                LibC.ChangeOwner(entry, user, group);
            }
        }
    }

    private static IEnumerable<ServerAccount> Candidates()
    {
        if (Environment.IsPrivilegedProcess)
        {
            var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToArray();
            foreach (var fields in Preferred.SelectMany(name => accounts.Where(fields => fields[0] == name).Take(1)))
            {
                var (user, group) = (uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture));
                yield return new(fields[0], ["setpriv", $"--reuid={user}", $"--regid={group}", "--clear-groups", "--"], (user, group));
            }
        }

        yield return new($"{Environment.UserName} in a user namespace", ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"], null);
    }

    private async Task<bool> CanEnterAsync(IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        var result = await GuardedCommand.RunAsync(new()
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "for directory; do cd \"$directory\" || exit 1; done", "enter", .. directories],
            Account = this,
        }, cancellationToken).ConfigureAwait(false);
        return result.Succeeded;
    }
}
