using OpenHands.Tests.Support;
using OpenHands.Worker;

namespace OpenHands.Tests.Worker;

public sealed class WorkerProgramTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly ClosedPort _closed = new();

    public void Dispose()
    {
        _closed.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Help_goes_to_the_output()
    {
        Assert.Equal(0, await RunAsync("--help"));
        Assert.StartsWith("Usage: OpenHands.Worker [run | migrate [--stay]]", _output.ToString());
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task An_unknown_verb_answers_2_with_the_usage_on_standard_error()
    {
        Assert.Equal(2, await RunAsync("drain"));
        Assert.StartsWith("There is no verb 'drain'.", _error.ToString());
        Assert.Contains("Usage:", _error.ToString());
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public async Task A_setting_out_of_range_is_refused_with_the_range()
    {
        Assert.Equal(2, await RunAsync([.. Connections(), "--urls=http://127.0.0.1:0", "--Worker:Concurrency=257"]));
        Assert.Contains("Concurrency must be between 1 and 256", _error.ToString());
        Assert.DoesNotContain("   at ", _error.ToString());
    }

    [Theory]
    [InlineData("openhands")]
    [InlineData("openhands-system")]
    [InlineData("redis")]
    [InlineData("secrets")]
    public async Task A_missing_connection_string_is_named(string name)
    {
        Assert.Equal(1, await RunAsync([.. Connections(), $"--ConnectionStrings:{name}="]));
        Assert.Contains($"ConnectionStrings__{name}.", _error.ToString());
    }

    [Theory]
    [InlineData("openhands", "Username=a;Password=first;half-of-a-secret=1")]
    [InlineData("redis", "localhost,password=first,half-of-a-secret=1")]
    public async Task A_connection_string_that_cannot_be_read_is_named_and_not_repeated(string name, string broken)
    {
        Assert.Equal(1, await RunAsync([.. Connections(), $"--ConnectionStrings:{name}={broken}"]));
        Assert.Contains($"The connection string {name} cannot be read", _error.ToString());
        Assert.DoesNotContain("half-of", _error.ToString());
    }

    [Fact]
    public async Task A_migration_without_connection_strings_fails_with_what_to_set()
    {
        Assert.Equal(1, await RunAsync("migrate"));
        Assert.Contains("ConnectionStrings__openhands-admin", _error.ToString());
    }

    [Theory]
    [InlineData("Username=a;Password=first;half-of-a-secret")]
    [InlineData("Username=a;Password=first;half-of-a-secret=1")]
    public async Task A_broken_connection_string_is_not_repeated(string broken)
    {
        Assert.Equal(1, await RunAsync("migrate", $"--ConnectionStrings:openhands-admin={broken}", $"--ConnectionStrings:openhands={broken}", $"--ConnectionStrings:openhands-system={broken}"));
        Assert.Contains("cannot be read", _error.ToString());
        Assert.DoesNotContain("secret", _error.ToString());
    }

    private IEnumerable<string> Connections() =>
    [
        $"--ConnectionStrings:openhands=Host=127.0.0.1;Port={_closed.Number}",
        $"--ConnectionStrings:openhands-system=Host=127.0.0.1;Port={_closed.Number}",
        $"--ConnectionStrings:redis=127.0.0.1:{_closed.Number}",
        $"--ConnectionStrings:secrets={new string('k', 43)}",
    ];

    private Task<int> RunAsync(params string[] args) => WorkerProgram.RunAsync(args, _output, _error);
}
