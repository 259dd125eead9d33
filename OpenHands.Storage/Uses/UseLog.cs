using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenHands.Storage.Uses;

/// <summary>Notes when rows were used and writes it down once a minute, and at the end, in one statement: no use costs a write.</summary>
public abstract partial class UseLog(IServiceScopeFactory scopes, TimeProvider time, ILogger logger) : BackgroundService
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
            await scope.ServiceProvider.GetRequiredService<OpenHandsDb>().Database.ExecuteSqlAsync(
                Statement([.. uses.Select(use => use.Key)], [.. uses.Select(use => use.Value)]), cancellationToken);
            foreach (var use in uses)
                _uses.TryRemove(use); // unless it was used once more
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            NotWritten(logger, failure);
        }
    }

    internal void Note(string id, DateTimeOffset at) => _uses[id] = at;

    /// <summary>Writes the instants of the rows with these ids.</summary>
    protected abstract FormattableString Statement(string[] ids, DateTimeOffset[] instants);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await WriteAsync(stoppingToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "When rows were last used cannot be written now; it is tried again in a minute.")]
    private static partial void NotWritten(ILogger logger, Exception failure);
}
