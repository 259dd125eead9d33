using System.Net;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using OpenHands.Hosting;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Orchestration;

public sealed class EndpointAllocatorTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder();

    [Fact]
    public async Task A_port_that_was_asked_for_is_given()
    {
        var port = FreePort();
        var redis = _builder.AddRedis("redis", port: port).Resource;
        await using var allocator = Allocator(testing: false);
        allocator.Allocate(_builder.Resources);
        Assert.Equal($"redis://localhost:{port}", redis.PrimaryEndpoint.Url);
    }

    [Fact]
    public async Task Under_test_every_application_has_ports_of_its_own()
    {
        using var server = Loopback.Listen(IPAddress.Loopback, 0);
        var redis = _builder.AddRedis("redis", port: Loopback.PortOf(server)).Resource;
        await using var allocator = Allocator(testing: true);
        allocator.Allocate(_builder.Resources);
        Assert.NotEqual(Loopback.PortOf(server), redis.PrimaryEndpoint.Port);
    }

    [Fact]
    public async Task A_taken_port_is_told_with_the_option_that_changes_it()
    {
        using var server = Loopback.Listen(IPAddress.Loopback, 0);
        _builder.AddRedis("redis", port: Loopback.PortOf(server));
        await using var allocator = Allocator(testing: false);
        var exception = Assert.Throws<DistributedApplicationException>(() => allocator.Allocate(_builder.Resources));
        Assert.Contains($"Port {Loopback.PortOf(server)} for 'redis'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("--Ports:Redis=<port>", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_port_cannot_be_asked_for_twice()
    {
        var port = FreePort();
        _builder.AddPostgres("postgres", port: port);
        _builder.AddRedis("redis", port: port);
        await using var allocator = Allocator(testing: false);
        var exception = Assert.Throws<DistributedApplicationException>(() => allocator.Allocate(_builder.Resources));
        Assert.Equal($"Port {port} is asked for by 'postgres' and by 'redis'. Choose another one with --Ports:Redis=<port>.", exception.Message);
    }

    [Fact]
    public async Task Ports_are_free_again_afterwards()
    {
        var port = FreePort();
        _builder.AddRedis("redis", port: port);
        await using (var allocator = Allocator(testing: false))
        {
            allocator.Allocate(_builder.Resources);
        }

        using var server = Loopback.Listen(IPAddress.Loopback, port);
        Assert.Equal(port, Loopback.PortOf(server));
    }

    private static EndpointAllocator Allocator(bool testing) => new(new HostSettings(new ConfigurationBuilder().Build(), testing));

    private static int FreePort()
    {
        using var reservation = PortReservation.Any();
        return reservation.Port;
    }
}
