using OpenHands.Storage.Queues;

namespace OpenHands.Tests.Storage.Queues;

public sealed class QueueFilterTests
{
    [Theory]
    [InlineData(null, "anything", true)]
    [InlineData(" , ", "anything", true)]
    [InlineData("*", "anything", true)]
    [InlineData("mail", "mail", true)]
    [InlineData("mail", "Mail", false)]
    [InlineData("mail", "mail2", false)]
    [InlineData("mail, jobs:*", "jobs:1", true)]
    [InlineData("mail,jobs:*", "other", false)]
    [InlineData("job?", "job1", true)]
    [InlineData("job?", "job12", false)]
    public void Queues_are_chosen_by_name_or_pattern(string? patterns, string queue, bool chosen) =>
        Assert.Equal(chosen, new QueueFilter(patterns).Matches(queue));

    [Fact]
    public void Plain_names_are_known_without_looking() =>
        Assert.Equal(["mail", "jobs"], new QueueFilter("mail, a*, jobs").PlainNames);
}
