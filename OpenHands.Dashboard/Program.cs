using OpenHands.Dashboard;

try
{
    await DashboardApplication.Build(args).RunAsync();
    return 0;
}
catch (InvalidOperationException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 2;
}
