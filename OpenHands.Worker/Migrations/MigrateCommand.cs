using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;

namespace OpenHands.Worker.Migrations;

/// <summary>The verb <c>migrate</c>: a step that others wait for.</summary>
internal static class MigrateCommand
{
    /// <summary>Migrates; with <paramref name="stays"/> serves health before, meanwhile and afterwards, until it is stopped.</summary>
    /// <returns>The exit code: 0 only when the database is up to date.</returns>
    public static async Task<int> RunAsync(string[] configuration, bool stays, TextWriter error)
    {
        try
        {
            using var host = stays ? BuildServing(configuration) : Build(configuration);
            await host.StartAsync();
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            await host.Services.GetRequiredService<DatabaseMigrator>().MigrateAsync(stopping);
            host.Services.GetService<MigrationState>()?.Finish();
            if (stays)
                await host.WaitForShutdownAsync(CancellationToken.None);
            else
                await host.StopAsync(CancellationToken.None);
            return 0;
        }
        catch (Exception failure)
        {
            await error.WriteLineAsync($"The database was not migrated: {Explain(failure)}");
            return WorkerProgram.Failed;
        }
    }

    private static IHost Build(string[] configuration)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = configuration,
            ApplicationName = typeof(MigrateCommand).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.AddServiceDefaults();
        builder.AddDatabaseMigrator();
        return builder.Build();
    }

    private static WebApplication BuildServing(string[] configuration)
    {
        var builder = WorkerApplication.CreateBuilder(configuration);
        builder.AddServiceDefaults();
        builder.AddDatabaseMigrator();
        builder.Services.AddSingleton<MigrationState>();
        builder.Services.AddHealthChecks().AddCheck<MigrationState>("migrations");

        var application = builder.Build();
        application.MapDefaultEndpoints();
        return application;
    }

    // The message alone, without the place in the code. What cannot be parsed may contain a password: it is not repeated.
    private static string Explain(Exception failure) => failure switch
    {
        OperationCanceledException => "stopped before the end.",
        ArgumentException or FormatException => "one of the connection strings openhands-admin, openhands and openhands-system cannot be read.",
        NpgsqlException { InnerException: { } cause } and not PostgresException => $"{failure.Message} ({cause.GetType().Name})",
        _ => failure.Message,
    };
}
