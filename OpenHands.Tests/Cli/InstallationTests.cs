using OpenHands.Cli;
using OpenHands.Cli.Terminal;
using OpenHands.Tests.Hosting.Servers;
using StackExchange.Redis;

namespace OpenHands.Tests.Cli;

/// <summary>How the command line finds an application that runs under the embedded host, by what the host keeps in its folder.</summary>
public sealed class InstallationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Both_servers_are_reached_with_the_kept_ports_and_passwords()
    {
        Write("parameters.json", """{"postgres-password":"p1","postgres-app-password":"p2","postgres-system-password":"p3","redis-password":"p4","secrets-key":"a key of the ring, with 32 characters"}""");
        Write("postgres/data/postmaster.pid", "1\n/data\n1\n5433\n");
        Assert.Null(Find().Redis); // another one was named to the host

        Write("redis/redis.conf", "bind 127.0.0.1\nport 6380\n");
        var redis = ConfigurationOptions.Parse(Find().Redis!);
        Assert.Equal(("127.0.0.1:6380", "p4"), (redis.EndPoints[0].ToString()?.Replace("Unspecified/", "", StringComparison.Ordinal), redis.Password));
        Assert.Equal("named", Find(("ConnectionStrings:redis", "named")).Redis);
        Assert.Equal("Host=127.0.0.1;Port=5433;Database=openhands;Username=openhands_app;Password=p2", Find().App);
    }

    [Fact]
    public void A_folder_of_something_else_and_a_host_that_does_not_run_are_named()
    {
        Directory.CreateDirectory(_folder["app"]);
        Assert.Contains("is no data directory", Assert.Throws<OperatorException>(() => Find()).Message);
        Write("parameters.json", "{}");
        Assert.Contains("does not run", Assert.Throws<OperatorException>(() => Find()).Message);
        Write("postgres/data/postmaster.pid", "1\n/data\n1\n5433\n");
        Assert.Contains("has no value postgres-password", Assert.Throws<OperatorException>(() => Find()).Message);
    }

    private Installation Find(params (string Key, string Value)[] settings) =>
        Installation.Find(new DirectoryInfo(_folder["app"]), settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value));

    private void Write(string file, string content)
    {
        var path = Path.Combine(_folder["app"], file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
