using Microsoft.Extensions.DependencyInjection;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class TaskHandlersTests
{
    [Fact]
    public void A_second_handler_for_a_type_is_refused()
    {
        var services = new ServiceCollection();
        services.AddTaskHandler<NoopHandler>("one");
        services.AddTaskHandler<NoopHandler>("two");

        Assert.Throws<InvalidOperationException>(() => services.AddTaskHandler<NoopHandler>("one"));
    }
}
