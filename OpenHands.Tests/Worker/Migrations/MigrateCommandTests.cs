using OpenHands.Tests.Support;
using OpenHands.Worker;

namespace OpenHands.Tests.Worker.Migrations;

public sealed class MigrateCommandTests(DatabaseServer server)
{
    [Fact]
    public async Task It_migrates_an_empty_database_and_may_be_repeated()
    {
        var database = await server.CreateEmptyAsync();

        Assert.Equal((0, ""), await RunAsync(database));
        Assert.NotEmpty(await database.QueryAsync("""SELECT * FROM "__EFMigrationsHistory" """));
        Assert.Equal((0, ""), await RunAsync(database));
    }

    [Fact]
    public async Task A_wrong_password_fails_at_once_and_is_not_repeated()
    {
        var database = await server.CreateEmptyAsync();
        var wrong = database.Administrator.Replace("Password=", "Password=n0t-", StringComparison.Ordinal);

        var (code, error) = await RunAsync(database, wrong);
        Assert.Equal(1, code);
        Assert.StartsWith("The database was not migrated: 28P01", error);
        Assert.DoesNotContain("n0t-", error);
        Assert.DoesNotContain("   at ", error);
    }

    private static async Task<(int Code, string Error)> RunAsync(TestDatabase database, string? administrator = null)
    {
        using var error = new StringWriter();
        var code = await WorkerProgram.RunAsync(
            [
                "migrate", $"--ConnectionStrings:openhands-admin={administrator ?? database.Administrator}",
                $"--ConnectionStrings:openhands={database.App}", $"--ConnectionStrings:openhands-system={database.System}",
                "--Logging:Console:LogLevel:Default=None",
            ],
            TextWriter.Null,
            error);
        return (code, error.ToString());
    }
}
