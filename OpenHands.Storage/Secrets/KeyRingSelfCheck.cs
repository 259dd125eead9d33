using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// Does not let a process run whose key ring lacks a key in use: it could read nothing of what that key encrypted. Where the
/// database cannot be asked on start, it is asked as soon as it can.
/// </summary>
internal sealed partial class KeyRingSelfCheck(
    IServiceScopeFactory scopes, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<KeyRingSelfCheck> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private bool _done;

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">The ring lacks a key in use.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await ProblemAsync(cancellationToken) is { } problem)
            throw new InvalidOperationException(problem);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!_done)
        {
            await Task.Delay(Pause, time, stoppingToken);
            if (await ProblemAsync(stoppingToken) is not { } problem)
                continue;
            KeysMissing(logger, problem);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    private async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var missing = await scope.ServiceProvider.GetRequiredService<EncryptionKeyRegistry>().EnterAsync(cancellationToken);
            _done = true;
            return missing.Count == 0
                ? null
                : $"The key ring lacks {string.Join(", ", missing)}, which stored secrets are encrypted under. Add the missing key to Secrets:PreviousKeys, "
                    + "or give this process the ring that the others have.";
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, requests and health checks say so; nothing can be read or written with the wrong key meanwhile.
            NotYet(logger, failure);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether the key ring is complete cannot be asked yet.")]
    private static partial void NotYet(ILogger logger, Exception reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Problem}")]
    private static partial void KeysMissing(ILogger logger, string problem);
}
