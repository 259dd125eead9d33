using System.Net;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api;

/// <summary>A process whose key ring lacks a key in use does not run.</summary>
public sealed class KeyRingSelfCheckTests(DatabaseServer server)
{
    private static readonly string Old = new('o', 43);
    private static readonly string New = new('n', 43);

    [Fact]
    public async Task It_enters_its_key_and_starts_with_a_newer_one_only_if_it_has_the_older_beside_it()
    {
        var database = await server.CreateMigratedAsync();
        await using (await StartAsync(database, $"ConnectionStrings:secrets={Old}"))
            Assert.Equal([new KeyRing(Old).Current.Id], await database.QueryAsync("SELECT id FROM encryption_keys"));

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(database, $"ConnectionStrings:secrets={New}"));
        Assert.Contains(new KeyRing(Old).Current.Id, refusal.Message);
        Assert.Contains("Secrets:PreviousKeys", refusal.Message);
        Assert.Equal([new KeyRing(Old).Current.Id], await database.QueryAsync("SELECT id FROM encryption_keys"));

        await using (await StartAsync(database, $"ConnectionStrings:secrets={New}", $"Secrets:PreviousKeys={Old}"))
            Assert.Equal(["2"], await database.QueryAsync("SELECT count(*) FROM encryption_keys"));
    }

    [Fact]
    public async Task One_that_finds_out_later_because_the_database_was_not_there_ends_itself()
    {
        var database = await server.CreateMigratedAsync();
        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('{new KeyRing(Old).Current.Id}', now())");
        var administrator = await server.AdministratorAsync();
        var later = new TestDatabase(administrator, $"{database.Name}_later");
        var exitCode = Environment.ExitCode;
        try
        {
            await using var api = await StartAsync(later, $"ConnectionStrings:secrets={New}");
            using (var answer = await api.Client.GetAsync(new Uri("/alive", UriKind.Relative), TestContext.Current.CancellationToken))
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.False(api.Stopping.IsCancellationRequested);

            await new TestDatabase(administrator, "postgres").QueryAsync($"ALTER DATABASE {database.Name} RENAME TO {later.Name}");
            await Eventually.TrueAsync("it ends itself", () => Task.FromResult(api.Stopping.IsCancellationRequested));
            Assert.Equal(1, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = exitCode;
        }
    }

    private static Task<ApiHost> StartAsync(TestDatabase database, params string[] settings) =>
        ApiHost.StartAsync([$"ConnectionStrings:openhands={database.App}", .. settings]);
}
