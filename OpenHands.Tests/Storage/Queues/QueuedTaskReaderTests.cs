using System.Text;
using OpenHands.Storage.Queues;

namespace OpenHands.Tests.Storage.Queues;

public sealed class QueuedTaskReaderTests
{
    [Fact]
    public void A_task_has_type_payload_and_id()
    {
        var read = QueuedTaskReader.TryRead(Bytes("""{"type":"mail","payload":{"to": ["a"]},"id":"m-1"}"""), out var task, out var reason);

        Assert.True(read, reason);
        Assert.Equal(new PushedTask("mail", """{"to": ["a"]}""", "m-1"), task);
    }

    [Theory]
    [InlineData("""{"type":"mail"}""", null)]
    [InlineData("""{"type":"mail","id":null}""", null)]
    [InlineData("""{"type":"mail","id":42}""", "42")]
    public void Payload_and_id_may_be_missing(string value, string? id)
    {
        Assert.True(QueuedTaskReader.TryRead(Bytes(value), out var task, out _));
        Assert.Equal(new PushedTask("mail", "null", id), task);
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
    [InlineData("""{"type":"a\u0000b"}""", "The member type or id contains NUL.")]
    [InlineData("""{"\ud800":1,"type":"mail"}""", null)]
    public void A_value_that_is_no_task_is_refused_with_a_reason(string value, string? expected)
    {
        // An unknown member with half a surrogate pair for a name may pass or not, but must not throw.
        var read = QueuedTaskReader.TryRead(Bytes(value), out _, out var reason);
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
        QueuedTaskReader.TryRead(value, out _, out var reason) ? null : reason;

    private static byte[] Bytes(string value) => Encoding.UTF8.GetBytes(value);
}
