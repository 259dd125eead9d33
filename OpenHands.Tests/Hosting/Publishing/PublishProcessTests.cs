using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Hosting.Publishing;

/// <summary>Publishing as others call it: the AppHost as a program.</summary>
public sealed class PublishProcessTests : IDisposable
{
    private readonly TestFolder _folder = new();

    [Theory]
    [InlineData("--publisher manifest")] // as aspirate calls it
    [InlineData("--operation publish --publisher manifest")]
    [InlineData("--operation publish --step publish-manifest")]
    [InlineData("--operation=Publish --publisher=Manifest --step=publish-manifest")]
    public async Task Every_form_of_the_command_writes_the_manifest_and_nothing_else(string command)
    {
        var run = await AppHostProcess.RunAsync(_folder.Path, [.. command.Split(' '), "--output-path", "out.json"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        Assert.Contains(_folder["out.json"], run.Output, StringComparison.Ordinal);
        Assert.Equal(ExpectedIn(_folder.Path), await ReadAsync("out.json"));
        Assert.Equal(["out.json"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(null, "aspire-manifest.json")]
    [InlineData(".", "aspire-manifest.json")]
    [InlineData("there", "there/aspire-manifest.json")]
    [InlineData("there.json", "there.json/aspire-manifest.json")]
    [InlineData("new/deep", "new/deep/aspire-manifest.json")]
    [InlineData("new/deep/my.json", "new/deep/my.json")]
    public async Task The_output_path_is_a_file_or_a_folder_and_may_be_left_out(string? outputPath, string expected)
    {
        Directory.CreateDirectory(_folder["there"]);
        Directory.CreateDirectory(_folder["there.json"]);

        var run = await AppHostProcess.RunAsync(_folder.Path, ["--publisher", "manifest", .. outputPath is null ? (string[])[] : ["--output-path", outputPath]]);

        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        Assert.Equal(ExpectedIn(Path.GetDirectoryName(_folder[expected])!), await ReadAsync(expected));
    }

    [Fact]
    public async Task A_shorter_manifest_replaces_a_longer_file_and_a_second_run_gives_the_same_bytes()
    {
        await File.WriteAllTextAsync(_folder["m.json"], new string('x', 100_000), TestContext.Current.CancellationToken);

        await AppHostProcess.RunAsync(_folder.Path, "--publisher", "manifest", "--output-path", "m.json");
        var first = await File.ReadAllBytesAsync(_folder["m.json"], TestContext.Current.CancellationToken);
        await AppHostProcess.RunAsync(_folder.Path, "--publisher", "manifest", "--output-path", "m.json");

        Assert.Equal((byte)'}', first[^1]);
        Assert.Equal(first, await File.ReadAllBytesAsync(_folder["m.json"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("--publisher docker-compose", "--publisher docker-compose is not known")]
    [InlineData("--operation publish --step deploy", "--step deploy is not known")]
    public async Task What_only_the_real_Aspire_publishes_is_refused(string command, string message)
    {
        var run = await AppHostProcess.RunAsync(_folder.Path, [.. command.Split(' '), "--output-path", "out.json"]);

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Contains("AspireHosting=packages", run.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_path_that_cannot_be_written_is_named_in_one_line()
    {
        await File.WriteAllTextAsync(_folder["file"], "", TestContext.Current.CancellationToken);

        var run = await AppHostProcess.RunAsync(_folder.Path, "--publisher", "manifest", "--output-path", "file/below/out.json");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains($"cannot be written to {_folder["file/below/out.json"]}", Assert.Single(run.Errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_usage_has_an_exit_code_of_its_own_and_starts_nothing()
    {
        var run = await AppHostProcess.RunAsync(_folder.Path, "--operation", "deploy");

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Equal("--operation deploy is not known; it is run or publish.\n", run.Errors);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The expected manifest with its paths as they are seen from another folder.</summary>
    private static string ExpectedIn(string folder) => Manifest.Expected.Replace(
        "\"path\": \"", $"\"path\": \"{Path.GetRelativePath(folder, Manifest.Checkout)}/", StringComparison.Ordinal);

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(_folder[name], TestContext.Current.CancellationToken);
}
