using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Postgres;

public sealed class SchemaHealthCheckTests(DatabaseServer server)
{
    [Fact]
    public async Task A_migrated_database_is_ready() => Assert.Equal(HealthStatus.Healthy, (await CheckAsync(await server.CreateMigratedAsync())).Status);

    [Fact]
    public async Task A_newer_schema_is_ready_for_an_older_release()
    {
        var database = await server.CreateMigratedAsync();
        await database.QueryAsync("""INSERT INTO "__EFMigrationsHistory" VALUES ('29991231235959_OfALaterRelease', '99')""");
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(database)).Status);
    }

    [Fact]
    public async Task An_empty_database_is_not_ready_and_says_what_is_missing()
    {
        var result = await CheckAsync(await server.CreateEmptyAsync());
        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains("_Initial", result.Description);
    }

    [Fact]
    public async Task A_database_that_lacks_the_newest_migration_is_not_ready()
    {
        var database = await server.CreateMigratedAsync();
        await database.QueryAsync("""DELETE FROM "__EFMigrationsHistory" WHERE migration_id = (SELECT max(migration_id) FROM "__EFMigrationsHistory")""");
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(database)).Status);
    }

    [Fact]
    public async Task Without_a_server_it_is_not_ready()
    {
        using var port = new ClosedPort();
        var nowhere = new NpgsqlConnectionStringBuilder(await server.AdministratorAsync()) { Port = port.Number }.ConnectionString;
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(new TestDatabase(nowhere, "any"))).Status);
    }

    private static async Task<HealthCheckResult> CheckAsync(TestDatabase database)
    {
        await using var db = database.Open();
        return await new SchemaHealthCheck(db).CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
    }
}
