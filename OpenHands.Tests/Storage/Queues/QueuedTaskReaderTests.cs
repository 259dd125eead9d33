using System.Text;
using System.Text.Json;
using OpenHands.Storage.Queues;

namespace OpenHands.Tests.Storage.Queues;

public sealed class QueuedTaskReaderTests
{
    [Fact]
    public void A_task_has_type_payload_id_and_the_number_of_its_attempt()
    {
        var read = QueuedTaskReader.TryRead(
            Taken("""{"type":"mail","payload":{"to":["a"]},"id":"m-1"}""") with { Attempts = 2 }, out var task, out var reason);

        Assert.True(read, reason);
        Assert.Equal(("mail", "m-1", 3, "q", "d"), (task!.Type, task.Id, task.Attempt, task.Queue, task.Delivery));
        Assert.Equal("a", task.Payload.GetProperty("to")[0].GetString());
    }

    [Theory]
    [InlineData("""{"type":"mail"}""", null)]
    [InlineData("""{"type":"mail","id":null}""", null)]
    [InlineData("""{"type":"mail","id":42}""", "42")]
    public void Payload_and_id_may_be_missing(string value, string? id)
    {
        Assert.True(QueuedTaskReader.TryRead(Taken(value), out var task, out _));
        Assert.Equal((id, JsonValueKind.Null), (task.Id, task.Payload.ValueKind));
    }

    [Theory]
    [InlineData("", "The value is not JSON.")]
    [InlineData("secret words", "The value is not JSON.")]
    [InlineData("{\"type\":\"mail\"", "The value is not JSON.")]
    [InlineData("{\"type\":\"mail\"} {}", "The value is not JSON.")]
    [InlineData("[]", "The value is not a JSON object.")]
    [InlineData("null", "The value is not a JSON object.")]
    [InlineData("{}", "The member type is missing.")]
    [InlineData("""{"Type":"mail"}""", "The member type is missing.")]
    [InlineData("""{"type":""}""", "The member type is not a text.")]
    [InlineData("""{"type":7}""", "The member type is not a text.")]
    [InlineData("""{"type":"mail","id":{}}""", "The member id is neither a text nor a number.")]
    [InlineData("""{"type":"\ud800"}""", "The value has an escape that is half of a surrogate pair.")]
    [InlineData("""{"\ud800":1,"type":"mail"}""", null)]
    public void A_value_that_is_no_task_is_refused_with_a_reason(string value, string? expected)
    {
        // An unknown member with half a surrogate pair for a name may pass or not, but must not throw.
        var read = QueuedTaskReader.TryRead(Taken(value), out _, out var reason);
        if (expected is not null)
            Assert.Equal((false, expected), (read, reason));
    }

    [Fact]
    public void A_value_that_is_not_UTF8_is_refused() =>
        Assert.Equal("The value is not UTF-8.", Reason([.. "{\"type\":\""u8, 0xff, .. "\"}"u8]));

    [Fact]
    public void A_value_of_more_than_one_MiB_is_refused()
    {
        byte[] Padded(int size) => Encoding.UTF8.GetBytes("""{"type":"mail"}""".PadRight(size));

        Assert.Null(Reason(Padded(QueuedTaskReader.MaxBytes)));
        Assert.Equal("The value is larger than 1 MiB.", Reason(Padded(QueuedTaskReader.MaxBytes + 1)));
    }

    [Fact]
    public void A_value_that_is_nested_too_deep_is_refused() =>
        Assert.Equal("The value is not JSON.", Reason(Encoding.UTF8.GetBytes(new string('[', 10_000))));

    private static string? Reason(byte[] value) =>
        QueuedTaskReader.TryRead(new TakenTask("q", "d", value, 0, 0, null), out _, out var reason) ? null : reason;

    private static TakenTask Taken(string value) => new("q", "d", Encoding.UTF8.GetBytes(value), 0, 0, null);
}
