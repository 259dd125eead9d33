using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Worker;
using OpenHands.Worker.Queues;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>The real worker with <see cref="EffectHandler"/>, and if wanted with a clock that is wrong.</summary>
internal static class ChaosWorker
{
    /// <summary>Its verb.</summary>
    public const string Verb = "chaos-worker";

    /// <summary>Runs until it is stopped.</summary>
    /// <param name="args">Minutes by which its clock is ahead, then configuration.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var ahead = TimeSpan.FromMinutes(int.Parse(args[0], CultureInfo.InvariantCulture));
        await using var worker = WorkerApplication.Build(args[1..], services =>
        {
            services.AddTaskHandler<EffectHandler>(EffectHandler.Type);
            services.AddSingleton<TimeProvider>(new WrongClock(ahead));
        });
        await worker.RunAsync();
        return 0;
    }

    private sealed class WrongClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
    }
}
