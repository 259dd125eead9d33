extern alias dashboard;

using dashboard::OpenHands.Dashboard.Consoles;

namespace OpenHands.Tests.Dashboard;

public sealed class AnsiTextTests
{
    [Theory]
    [InlineData("plain <b>text</b>", "plain <b>text</b>|")]
    [InlineData("\u001b[32minfo\u001b[39m\u001b[22m\u001b[49m: said", "info|ansi-green;: said|")]
    [InlineData("\u001b[1;91;44mloud\u001b[0m", "loud|ansi-red ansi-on-blue ansi-bold")]
    [InlineData("\u001b[38;5;208mone\u001b[38;2;1;2;3;1mtwo", "one|;two|ansi-bold")]
    [InlineData("a\u001b[2Kb\u001b[10;20Hc\u001bMd", "a|;b|;c|;d|")]
    [InlineData("broken off \u001b[3", "broken off |")]
    [InlineData("broken off \u001b", "broken off |")]
    [InlineData("\u001b[m\u001b[999999999999mx", "x|")]
    public void Colours_become_classes_and_every_other_code_is_left_out(string line, string expected) =>
        Assert.Equal(expected, string.Join(';', AnsiText.Parse(line).Select(piece => $"{piece.Text}|{piece.Style}")));
}
