using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.ApplicationModel;

public sealed class ReferenceExpressionTests
{
    private readonly ParameterResource _password = new("password", _ => "s3cret");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Values_are_filled_in_when_they_are_asked_for()
    {
        var expression = ReferenceExpression.Create($"User=app;Password={_password}");
        Assert.Equal("User=app;Password={password.value}", expression.ValueExpression);
        Assert.Equal("User=app;Password=s3cret", await expression.GetValueAsync(Token));
    }

    [Fact]
    public async Task Braces_of_the_text_stay_braces()
    {
        var braces = "{0}";
        var expression = ReferenceExpression.Create($"{{a}} {braces} {_password}");
        Assert.Equal("{a} {0} s3cret", await expression.GetValueAsync(Token));
        Assert.Equal("{a} {0} {password.value}", expression.ValueExpression);
    }

    [Fact]
    public async Task Braces_of_a_value_stay_braces()
    {
        var odd = new ParameterResource("odd", _ => "}{1}{");
        Assert.Equal("}{1}{ s3cret", await ReferenceExpression.Create($"{odd} {_password}").GetValueAsync(Token));
    }

    [Fact]
    public async Task Expressions_nest()
    {
        var inner = ReferenceExpression.Create($"Password={_password}");
        var outer = ReferenceExpression.Create($"Host=db;{inner};{inner}");
        Assert.Equal("Host=db;Password=s3cret;Password=s3cret", await outer.GetValueAsync(Token));
        Assert.Equal("Host=db;Password={password.value};Password={password.value}", outer.ValueExpression);
        Assert.Equal([_password], ReferencedResources.Of(outer));
    }

    [Fact]
    public void A_resource_is_referred_to_through_its_builder()
    {
        var builder = DistributedApplication.CreateBuilder();
        var database = builder.AddPostgres("postgres").AddDatabase("openhands");
        var expression = ReferenceExpression.Create($"{database};Timeout=5");
        Assert.Equal("{openhands.connectionString};Timeout=5", expression.ValueExpression);
        Assert.Equal([database.Resource], ReferencedResources.Of(expression));
    }

    [Fact]
    public async Task A_text_that_is_null_is_empty()
    {
        string? nothing = null;
        Assert.Equal("[]", await ReferenceExpression.Create($"[{nothing}]").GetValueAsync(Token));
    }

    [Fact]
    public async Task A_port_is_waited_for_until_it_is_allocated()
    {
        var redis = new RedisResource("redis", _password);
        var endpoint = new EndpointAnnotation(System.Net.Sockets.ProtocolType.Tcp, "redis", name: "tcp", targetPort: 6379);
        redis.Annotations.Add(endpoint);
        var value = redis.ConnectionStringExpression.GetValueAsync(Token).AsTask();
        Assert.False(value.IsCompleted);
        Assert.Throws<InvalidOperationException>(() => redis.PrimaryEndpoint.Port);
        endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 4711);
        Assert.Equal("localhost:4711,password=s3cret", await value);
    }

    [Fact]
    public async Task A_parameter_is_found_once()
    {
        var calls = 0;
        var parameter = new ParameterResource("once", _ => $"{++calls}");
        var both = ReferenceExpression.Create($"{parameter}{parameter}");
        Assert.Equal("11", await both.GetValueAsync(Token));
    }
}
