using Microsoft.Extensions.Options;
using OpenHands.Worker.Migrations;
using OpenHands.Worker.Operators;
using StackExchange.Redis;

namespace OpenHands.Worker;

/// <summary>The executable: one verb, then configuration.</summary>
internal static class WorkerProgram
{
    /// <summary>Exit code of a command that could not do its work.</summary>
    public const int Failed = 1;

    /// <summary>Exit code of a command line that is not understood.</summary>
    public const int NotUnderstood = 2;

    private const string Usage = """
        Usage: OpenHands.Worker [run | migrate [--stay]] [--Section:Key=value ...]
               OpenHands.Worker queues|tasks <what> [--json]

          run             Drains the queues in Redis and serves /health and /alive (the default).
          migrate         Brings the database up to this build and ends.
          migrate --stay  The same, then serves /health and /alive until it is stopped.
          queues, tasks   For operators: look, cancel, replay, purge, limit; queues --help says more.

        Connection strings: openhands, openhands-system, redis and secrets for run (and openhands-direct where openhands goes
        through a transaction pooler); openhands-admin, openhands and
        openhands-system for migrate (environment: ConnectionStrings__<name>).
        Settings of run: --Worker:Queues=<names and patterns, comma-separated>, --Worker:Concurrency=<1-256>,
        --Worker:HandlerTimeout=<hh:mm:ss>, --Worker:ShutdownTimeout=<hh:mm:ss>, and the others of docs/queues.md.
        """;

    /// <summary>Does what the command line says.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (args is ["queues" or "tasks", ..])
            return await OperatorCommand.RunAsync(args, output, error);
        var command = WorkerCommand.Parse(args);
        switch (command.Verb)
        {
            case Verb.Help:
                await output.WriteLineAsync(Usage);
                return 0;
            case Verb.Run:
                return await DrainAsync(command.Configuration, error);
            case Verb.Migrate:
                return await MigrateCommand.RunAsync(command.Configuration, command.Stays, error);
            default:
                await error.WriteLineAsync(command.Complaint);
                await error.WriteLineAsync();
                await error.WriteLineAsync(Usage);
                return NotUnderstood;
        }
    }

    private static async Task<int> DrainAsync(string[] configuration, TextWriter error)
    {
        try
        {
            await using var application = WorkerApplication.Build(configuration);
            await application.RunAsync();
            return 0;
        }
        catch (OptionsValidationException invalid)
        {
            await error.WriteLineAsync(invalid.Message);
            return NotUnderstood;
        }
        catch (Exception failure) when (failure is InvalidOperationException or RedisConnectionException)
        {
            await error.WriteLineAsync(failure.Message);
            return Failed;
        }
    }
}
