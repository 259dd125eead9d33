using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenHands.Storage.ApiKeys;

/// <summary>Notes when keys were used and writes it down once a minute, and at the end, in one statement.</summary>
public sealed partial class ApiKeyUses(IServiceScopeFactory scopes, TimeProvider time, ILogger<ApiKeyUses> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _uses = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteAsync(cancellationToken);
    }

    /// <summary>Writes down what was noted since the last time. What cannot be written stays noted.</summary>
    internal async Task WriteAsync(CancellationToken cancellationToken)
    {
        var uses = _uses.ToArray();
        if (uses.Length == 0)
            return;

        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
            var (ids, instants) = (uses.Select(use => use.Key).ToArray(), uses.Select(use => use.Value).ToArray());
            await db.Database.ExecuteSqlAsync($"SELECT note_api_key_uses({ids}, {instants})", cancellationToken);
            foreach (var use in uses)
                _uses.TryRemove(use); // unless it was used once more
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            NotWritten(logger, failure);
        }
    }

    internal void Note(string keyId, DateTimeOffset at) => _uses[keyId] = at;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await WriteAsync(stoppingToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "When API keys were last used cannot be written now; it is tried again in a minute.")]
    private static partial void NotWritten(ILogger logger, Exception failure);
}
