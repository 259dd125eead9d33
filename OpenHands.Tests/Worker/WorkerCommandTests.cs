using OpenHands.Worker;

namespace OpenHands.Tests.Worker;

public sealed class WorkerCommandTests
{
    [Theory]
    [InlineData("", nameof(Verb.Run), "")]
    [InlineData("run", nameof(Verb.Run), "")]
    [InlineData("--Worker:Queues=a", nameof(Verb.Run), "--Worker:Queues=a")]
    [InlineData("Worker:Queues=a", nameof(Verb.Run), "Worker:Queues=a")]
    [InlineData("run --Worker:Queues a", nameof(Verb.Run), "--Worker:Queues a")]
    [InlineData("migrate --urls=http://x", nameof(Verb.Migrate), "--urls=http://x")]
    [InlineData("migrate --a b --stay", nameof(Verb.Migrate), "--a b")]
    [InlineData("--help", nameof(Verb.Help), "")]
    [InlineData("migrate -h", nameof(Verb.Help), "")]
    public void The_verb_comes_first_and_the_rest_is_configuration(string line, string verb, string configuration)
    {
        var command = WorkerCommand.Parse(Split(line));

        Assert.Equal((verb, configuration), (command.Verb.ToString(), string.Join(' ', command.Configuration)));
        Assert.Equal(line.Contains("--stay"), command.Stays);
    }

    [Theory]
    [InlineData("drain", "There is no verb 'drain'.")]
    [InlineData("migrate now", "'now' is neither --Key=value nor --Key value; a verb comes first.")]
    [InlineData("--a=b migrate", "'migrate' is neither --Key=value nor --Key value; a verb comes first.")]
    [InlineData("run --a b c", "'c' is neither --Key=value nor --Key value; a verb comes first.")]
    [InlineData("run --stay", "--stay belongs to the verb migrate.")]
    [InlineData("--stay", "--stay belongs to the verb migrate.")]
    public void What_is_not_understood_is_refused(string line, string complaint)
    {
        var command = WorkerCommand.Parse(Split(line));

        Assert.Equal((Verb.None, complaint), (command.Verb, command.Complaint));
    }

    private static string[] Split(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
