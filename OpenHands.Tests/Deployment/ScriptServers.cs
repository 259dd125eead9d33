using System.Collections.Concurrent;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Deployment;

/// <summary>
/// Members of a cluster on this machine, run by the scripts that the manifests carry: each with a volume of its own, as processes that a
/// test may kill, under an account that is not root.
/// </summary>
internal sealed class ScriptServers : IAsyncDisposable
{
    private static readonly string Manifests = Path.Combine(Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!, "deploy/kubernetes");

    private readonly TestFolder _folder = new();
    private readonly Dictionary<string, GuardedProcess> _running = [];
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ServerBinaries _binaries;
    private readonly ServerAccount _account;
    private readonly string _scripts;

    private ScriptServers(ServerBinaries binaries, ServerAccount account, TestFolder folder, string scripts) =>
        (_binaries, _account, _folder, _scripts) = (binaries, account, folder, scripts);

    /// <summary>Folder of the programs.</summary>
    public string Programs => _binaries.Folder;

    /// <summary>What all members have written.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>Finds the programs and copies the scripts of a folder below deploy/kubernetes to where the servers' account can read them.</summary>
    public static async Task<ScriptServers> CreateAsync(ServerProduct product, string folderOfScripts)
    {
        var token = TestContext.Current.CancellationToken;
        var binaries = await ServerBinaries.FindAsync(product, ServerSource.Parse(null, product.SourceKey), HostDirectories.Find().Cache, null, _ => { }, token);
        var folder = new TestFolder();
        var scripts = Directory.CreateDirectory(folder["scripts"]).FullName;
        foreach (var script in Directory.EnumerateFiles(Path.Combine(Manifests, folderOfScripts)))
            File.Copy(script, Path.Combine(scripts, Path.GetFileName(script)));
        return new ScriptServers(binaries, await ServerAccount.ChooseAsync([binaries.Folder, folder.Path], token), folder, scripts);
    }

    /// <summary>A folder of the servers' account.</summary>
    public string Folder(string name)
    {
        Directory.CreateDirectory(_folder[name]);
        _account.TakeOver(_folder[name]);
        return _folder[name];
    }

    /// <summary>A file that the members read.</summary>
    public string Write(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        File.SetUnixFileMode(_folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return _folder[name];
    }

    /// <summary>Starts a script that goes on.</summary>
    public void Start(string name, string script, IReadOnlyDictionary<string, string?> environment) =>
        _running[name] = GuardedProcess.Start(Command(script, environment, []) with { StopSignal = "INT", Output = (line, _) => _log.Enqueue($"{TimeProvider.System.GetUtcNow():mm:ss.fff} {name}: {line}") });

    /// <summary>Runs a script to its end.</summary>
    public Task<CommandResult> RunAsync(string script, IReadOnlyDictionary<string, string?> environment, params string[] arguments) =>
        GuardedCommand.RunAsync(Command(script, environment, arguments), TestContext.Current.CancellationToken);

    /// <summary>Runs one of the programs to its end.</summary>
    public Task<CommandResult> RunProgramAsync(string program, IReadOnlyDictionary<string, string?> environment, params string[] arguments) =>
        GuardedCommand.RunAsync(Command("", environment, arguments) with { FileName = _binaries[program], Arguments = arguments }, TestContext.Current.CancellationToken);

    /// <summary>Ends processes as a lost node does.</summary>
    public async Task KillAsync(params string[] names)
    {
        foreach (var name in names)
            System.Diagnostics.Process.GetProcessById(await _running[name].ProcessId).Kill();
        foreach (var name in names)
            await EndedAsync(name);
    }

    /// <summary>Waits until a process has ended by itself.</summary>
    public async Task<int> EndedAsync(string name)
    {
        var exited = _running[name].Exited;
        await Task.WhenAny(exited, Task.Delay(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.True(exited.IsCompleted, $"{name} has not ended.\n{Log}");
        var code = await exited;
        await _running[name].DisposeAsync();
        _running.Remove(name);
        return code;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_running.Values.Select(process => process.DisposeAsync().AsTask()));
        _folder.Dispose();
    }

    private GuardedProcessStart Command(string script, IReadOnlyDictionary<string, string?> environment, string[] arguments) => new()
    {
        FileName = "/bin/sh",
        Arguments = [Path.Combine(_scripts, script), .. arguments],
        Environment = _binaries.Environment.Concat(environment).ToDictionary(pair => pair.Key, pair => pair.Value),
        Account = _account,
    };
}
