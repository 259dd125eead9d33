namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a resource stands for: the value of a parameter, or a connection string.</summary>
/// <param name="Name">Its name in a dashboard.</param>
/// <param name="Text">The value, secrets included: mask it before it is shown.</param>
/// <param name="IsSecret">True when it must not be shown.</param>
internal sealed record ValueSnapshot(string Name, string Text, bool IsSecret)
{
    /// <summary>The value of a parameter.</summary>
    public static async Task<ValueSnapshot> OfAsync(ParameterResource parameter, CancellationToken cancellationToken) =>
        new("Value", await parameter.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "", parameter.Secret);

    /// <summary>The connection string of a resource; it holds a password more often than not.</summary>
    public static async Task<ValueSnapshot> OfAsync(IResourceWithConnectionString resource, CancellationToken cancellationToken) =>
        new("resource.connectionString", await resource.GetConnectionStringAsync(cancellationToken).ConfigureAwait(false) ?? "", IsSecret: true);
}
