using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds connection strings that are made of other values.</summary>
public static class ConnectionStringBuilderExtensions
{
    /// <summary>Adds a connection string; it starts once everything it refers to has.</summary>
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, ReferenceExpression connectionStringExpression)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var connectionString = builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));
        foreach (var resource in ReferencedResources.Of(connectionStringExpression))
        {
            connectionString.WithAnnotation(new ResourceRelationshipAnnotation(resource, "Reference"));
            if (resource is ParameterResource)
            {
                connectionString.WithAnnotation(new WaitAnnotation(resource, WaitType.WaitUntilStarted));
                connectionString.WithAnnotation(new ResourceRelationshipAnnotation(resource, "WaitFor"));
            }
        }

        return connectionString;
    }
}
