namespace OpenHands.Tests.Support;

/// <summary>A migrated database for one test class: <c>IClassFixture&lt;DatabaseFixture&gt;</c>.</summary>
public sealed class DatabaseFixture(DatabaseServer server) : IAsyncLifetime
{
    public DatabaseServer Server => server;

    public TestDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Database = await server.CreateMigratedAsync();

    // The database goes with the server.
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
