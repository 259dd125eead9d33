using System.Text.RegularExpressions;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Worker.Queues;

public sealed partial class QueuesPageTests
{
    private const string Path = "docs/queues.md";

    [Fact]
    public void Every_arrow_of_the_state_machine_has_a_name_and_a_row()
    {
        var arrows = Arrow().Matches(Page.Read(Path)).Select(match => match.Groups["name"].Value.Trim()).ToList();

        Assert.NotEmpty(arrows);
        Assert.All(arrows, name => Assert.NotEmpty(name));
        Assert.Equal(arrows.Order(), Page.Table(Path, "Arrow").Select(cells => cells[0]).Order());
    }

    [Fact]
    public void Every_arrow_has_a_test()
    {
        Assert.All(Page.Table(Path, "Arrow"), cells =>
        {
            var names = cells[3].Trim('`').Split('.');
            var type = Assert.Single(typeof(QueuesPageTests).Assembly.GetTypes(), type => type.Name == names[0]);
            var method = type.GetMethod(names[1]);
            Assert.True(method?.IsDefined(typeof(FactAttribute), inherit: true), $"{cells[0]}: there is no test {cells[3]}.");
        });
    }

    [Fact]
    public void The_settings_are_those_of_the_code()
    {
        var options = typeof(OpenHands.Worker.Queues.WorkerOptions).GetProperties().Select(property => $"`Worker:{property.Name}`");

        Assert.Equal(options, Page.Table(Path, "Key").Select(cells => cells[0]));
    }

    [GeneratedRegex(@"^ +\S+ --> \S+(?: :(?<name>.*))?$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
