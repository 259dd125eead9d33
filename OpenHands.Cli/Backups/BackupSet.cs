using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Backups;

/// <summary>
/// The folder of one backup: the database without the keys of tenants, these keys beside it (so that one can be taken out when
/// a tenant is erased), the key ring, files, and the manifest that binds them.
/// </summary>
internal sealed class BackupSet(string folder)
{
    private const string ManifestFile = "manifest.json";

    /// <summary>The folder.</summary>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>What pg_dump wrote.</summary>
    public string Database => Path.Combine(Folder, "database.dump");

    /// <summary>One key of a tenant per line, as JSON.</summary>
    public string TenantKeys => Path.Combine(Folder, "tenant-keys.jsonl");

    /// <summary>The keys of the ring, the current one in the first line.</summary>
    public string KeyRing => Path.Combine(Folder, "key-ring");

    /// <summary>Copies of files and folders that were named.</summary>
    public string Files => Path.Combine(Folder, "files");

    /// <summary>What the set is.</summary>
    public BackupManifest Manifest { get; private set; } = null!;

    /// <summary>Opens a set and checks that it is whole.</summary>
    /// <exception cref="OperatorException">It is none, or a file was changed, is missing or is too many.</exception>
    public static BackupSet Open(string folder)
    {
        var set = new BackupSet(folder);
        var path = Path.Combine(set.Folder, ManifestFile);
        if (!File.Exists(path))
            throw new OperatorException($"{set.Folder} is no backup set, or one that was not finished: there is no {ManifestFile}.");
        set.Manifest = BackupManifest.Parse(File.ReadAllText(path)) ?? throw new OperatorException($"{path} is no manifest that this version reads.");
        var there = set.Hashes();
        foreach (var (file, hash) in set.Manifest.Files)
        {
            if (there.GetValueOrDefault(file) is not { } found)
                throw new OperatorException($"{set.Folder}: {file} is missing. The set is not whole.");
            if (found != hash)
                throw new OperatorException($"{set.Folder}: {file} is not what was written there. The set is damaged.");
        }

        return there.Keys.Except(set.Manifest.Files.Keys).FirstOrDefault() is { } stray
            ? throw new OperatorException($"{set.Folder}: {stray} does not belong to the set.")
            : set;
    }

    /// <summary>Writes the manifest, last of all: a set without one was not finished.</summary>
    public void Seal(BackupManifest manifest)
    {
        Manifest = manifest with { Files = Hashes() };
        var path = Path.Combine(Folder, ManifestFile);
        using (var writer = new StreamWriter(PrivateFile.Create(path + ".new")))
            writer.Write(Manifest.ToJson());
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Refuses a ring that lacks a key which something in the set may be encrypted under.</summary>
    public void DemandFits(KeyRing keys)
    {
        string[] missing = [.. Manifest.KeysInUse.Except(keys.KeyIds)];
        if (missing.Length > 0)
        {
            throw new OperatorException(
                $"The key ring does not fit this backup: it lacks {string.Join(", ", missing)}, which stored secrets are encrypted under. Give the ring of the set ({KeyRing}) or one that holds its keys in Secrets:PreviousKeys.");
        }
    }

    /// <summary>The ring that is in the set.</summary>
    public KeyRing ReadKeyRing()
    {
        var keys = File.ReadAllLines(KeyRing).Where(line => line.Length > 0).ToList();
        return keys.Count > 0 ? new KeyRing(keys[0], [.. keys.Skip(1)]) : throw new OperatorException($"{KeyRing} holds no key.");
    }

    /// <summary>Takes the key of an erased tenant out of the set.</summary>
    public void ForgetTenantKey(SecretOwner owner)
    {
        var (column, id) = owner.UserId is { } user ? ("user_id", user) : ("organization_id", owner.OrganizationId!); // one of the two
        string[] kept = [.. File.ReadLines(TenantKeys).Where(line => (string?)JsonNode.Parse(line)![column] != id)];
        File.Delete(TenantKeys);
        using (var writer = new StreamWriter(PrivateFile.Create(TenantKeys)))
        {
            foreach (var line in kept)
                writer.WriteLine(line);
        }

        Seal(Manifest);
    }

    private Dictionary<string, string> Hashes() => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(file => (File: file, Name: Path.GetRelativePath(Folder, file)))
        .Where(file => file.Name is not ManifestFile and not ManifestFile + ".new")
        .OrderBy(file => file.Name, StringComparer.Ordinal)
        .ToDictionary(file => file.Name, file => HashOf(file.File));

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
