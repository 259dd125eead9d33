using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.Building;

/// <summary>The exact name of a published volume is a recorded fact: see the tests of the manifest.</summary>
public sealed class VolumeNameTests
{
    [Fact]
    public void A_volume_is_named_after_application_checkout_and_resource() =>
        Assert.Matches("^openhands\\.tests-[0-9a-f]{10}-redis-data$", VolumeOf(redis => redis.WithDataVolume()));

    [Fact]
    public void A_published_volume_does_not_depend_on_the_checkout() =>
        Assert.NotEqual(VolumeOf(redis => redis.WithDataVolume()), VolumeOf(redis => redis.WithDataVolume(), "--operation=publish"));

    [Fact]
    public void A_name_that_was_given_is_taken() => Assert.Equal("mine", VolumeOf(redis => redis.WithDataVolume("mine")));

    private static string? VolumeOf(Action<IResourceBuilder<RedisResource>> configure, params string[] args)
    {
        var redis = DistributedApplication.CreateBuilder(args).AddRedis("redis");
        configure(redis);
        return redis.Resource.Annotations.OfType<ContainerMountAnnotation>().Single().Source;
    }
}
