using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>Connections of role <c>openhands_system</c> for long work on all rows: few, and with more patience than what answers requests has.</summary>
internal sealed class MaintenanceDatabase(string system) : IAsyncDisposable
{
    /// <summary>The connections.</summary>
    public NpgsqlDataSource Source { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(system) { MaxPoolSize = WorkerRegistry.MaintenanceSessions }.ConnectionString);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Source.DisposeAsync();
}
