using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Parameters;

namespace Aspire.Hosting;

/// <summary>Adds parameters.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter that configuration must set.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        Add(builder, name, null, secret, persist: false);

    /// <summary>Adds a parameter with a default, which is kept when <paramref name="persist"/> says so.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Add(builder, name, value, secret, persist);
    }

    /// <summary>Says what a parameter is for.</summary>
    public static IResourceBuilder<ParameterResource> WithDescription(
        this IResourceBuilder<ParameterResource> builder, string description, bool enableMarkdown = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        _ = enableMarkdown;
        builder.Resource.Description = description;
        return builder;
    }

    private static IResourceBuilder<ParameterResource> Add(
        IDistributedApplicationBuilder builder, string name, ParameterDefault? value, bool secret, bool persist)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var store = builder.Services.Select(service => service.ImplementationInstance).OfType<ParameterStore>().Single();
        var parameter = new ParameterResource(name, @default => store.Find(name, @default, persist), secret) { Default = value };
        return builder.AddResource(parameter);
    }
}
