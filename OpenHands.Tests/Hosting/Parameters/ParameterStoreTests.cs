using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using OpenHands.Hosting;
using OpenHands.Hosting.Parameters;
using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Hosting.Parameters;

public sealed class ParameterStoreTests : IDisposable
{
    private static readonly ParameterDefault Generated = new GenerateParameterDefault { Special = false };
    private readonly TestFolder _folder = new(TestFolder.OnlyOwner);

    private string Kept => _folder["parameters.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Configuration_wins_over_what_was_generated()
    {
        Store().Find("redis-password", Generated, persist: true);
        Assert.Equal("given", Store("Parameters:redis-password=given").Find("redis-password", Generated, persist: true));
    }

    [Fact]
    public void A_hyphen_may_be_an_underscore_since_environment_variables_have_none() =>
        Assert.Equal("given", Store("Parameters:redis_password=given").Find("redis-password", Generated, persist: true));

    [Fact]
    public void An_empty_setting_sets_nothing() =>
        Assert.Equal(22, Store("Parameters:redis-password=").Find("redis-password", Generated, persist: true).Length);

    [Fact]
    public void A_generated_value_is_kept_from_run_to_run()
    {
        var first = Store().Find("redis-password", Generated, persist: true);
        Assert.Equal(first, Store().Find("redis-password", Generated, persist: true));
        Assert.NotEqual(first, Store().Find("postgres-password", Generated, persist: true));
        Assert.Equal(first, Store().Find("redis-password", Generated, persist: true));
    }

    [Fact]
    public void What_is_not_to_persist_is_generated_anew()
    {
        var first = Store().Find("redis-password", Generated, persist: false);
        Assert.NotEqual(first, Store().Find("redis-password", Generated, persist: false));
        Assert.False(File.Exists(Kept));
    }

    [Fact]
    public void A_run_that_keeps_nothing_writes_nothing()
    {
        Store("Data:Throwaway=true").Find("redis-password", Generated, persist: true);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Only_the_user_can_read_what_is_kept()
    {
        Store().Find("redis-password", Generated, persist: true);
        Store().Find("postgres-password", Generated, persist: true);
        foreach (var file in Directory.EnumerateFiles(_folder.Path))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("{\"redis-password\": \"s3cret")]
    [InlineData("{\"redis-password\": 7}")]
    [InlineData("")]
    [InlineData("s3cret")]
    public void A_damaged_file_is_told_by_name_without_its_content(string content)
    {
        File.WriteAllText(Kept, content);
        var exception = Assert.Throws<DistributedApplicationException>(() => Store().Find("redis-password", Generated, persist: true));
        Assert.Contains(Kept, exception.Message, StringComparison.Ordinal);
        Assert.Contains("--Parameters:redis-password", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(Kept));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_told_by_name()
    {
        Directory.CreateDirectory(Kept);
        var exception = Assert.Throws<DistributedApplicationException>(() => Store().Find("redis-password", Generated, persist: true));
        Assert.Contains(Kept, exception.Message, StringComparison.Ordinal);
        Assert.Contains("--Data:Directory", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_without_value_or_default_says_how_to_set_it()
    {
        var exception = Assert.Throws<MissingParameterValueException>(() => Store().Find("api-key", null, persist: false));
        Assert.Equal("Parameter 'api-key' has no value: pass --Parameters:api-key=… or set the environment variable Parameters__api_key.", exception.Message);
    }

    [Fact]
    public void Hosts_that_start_at_once_lose_no_value_and_agree_on_each()
    {
        var values = Enumerable.Range(0, 400).AsParallel().WithDegreeOfParallelism(8)
            .Select(i => (Name: $"secret-{i % 40}", Value: Store().Find($"secret-{i % 40}", Generated, persist: true))).ToList();
        var kept = Store();
        Assert.Equal(40, values.Select(value => value.Value).Distinct().Count());
        Assert.All(values, value => Assert.Equal(value.Value, kept.Find(value.Name, Generated, persist: true)));
    }

    /// <summary>A store of a host of its own: nothing is shared but the folder.</summary>
    private ParameterStore Store(params string[] settings)
    {
        var configuration = new ConfigurationBuilder().AddCommandLine([$"--Data:Directory={_folder.Path}", .. settings.Select(setting => "--" + setting)]).Build();
        return new ParameterStore(configuration, new HostSettings(configuration, testing: false));
    }
}
