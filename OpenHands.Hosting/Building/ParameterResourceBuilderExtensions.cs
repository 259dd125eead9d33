using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Parameters;

namespace Aspire.Hosting;

/// <summary>Adds parameters.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter that configuration must set.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddResource(CreateParameter(builder, name, null, secret, persist: false));
    }

    /// <summary>Adds a parameter with a default, which is kept when <paramref name="persist"/> says so.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(value);
        return builder.AddResource(CreateParameter(builder, name, value, secret, persist));
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

    /// <summary>The password of a server that was given none.</summary>
    internal static ParameterResource GeneratedPassword(this IDistributedApplicationBuilder builder, string name, bool special = true)
    {
        var parameter = CreateParameter(builder, name, new GenerateParameterDefault { Special = special }, secret: true, persist: true);
        // Published, it is written only because the server refers to it, after everything that the AppHost added.
        return builder.ExecutionContext.IsPublishMode ? parameter : builder.AddResource(parameter).Resource;
    }

    private static ParameterResource CreateParameter(
        IDistributedApplicationBuilder builder, string name, ParameterDefault? value, bool secret, bool persist)
    {
        var store = builder.Services.Select(service => service.ImplementationInstance).OfType<ParameterStore>().Single();
        return new ParameterResource(name, @default => store.Find(name, @default, persist), secret) { Default = value };
    }
}
