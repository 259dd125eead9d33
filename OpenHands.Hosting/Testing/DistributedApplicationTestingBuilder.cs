using OpenHands.Hosting.Testing;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Starts an AppHost for a test: on free ports, with throw-away data (unless the arguments name a
/// <c>--Data:Directory</c>), in environment Development. Several can run at once in one process.
/// </summary>
public static class DistributedApplicationTestingBuilder
{
    /// <summary>Runs the entry point of an AppHost until the application is described.</summary>
    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly, such as <c>Projects.OpenHands_AppHost</c>.</typeparam>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>([], cancellationToken);

    /// <summary>Runs the entry point of an AppHost with arguments until the application is described.</summary>
    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly, such as <c>Projects.OpenHands_AppHost</c>.</typeparam>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        ArgumentNullException.ThrowIfNull(args);
        var invocation = new EntryPointInvocation(typeof(TEntryPoint).Assembly, args);
        try
        {
            return await invocation.DescribeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Nobody gets the builder, so nobody else would end the entry point.
            invocation.Dispose();
            throw;
        }
    }
}
