using System.Reflection;
using Aspire.Hosting;

namespace OpenHands.Hosting.Testing;

/// <summary>
/// Runs an AppHost's own entry point for a test: up to the end of the description, then up to the built application, and
/// holds it there until the test is over.
/// </summary>
/// <param name="assembly">The AppHost's assembly.</param>
/// <param name="arguments">The command line.</param>
internal sealed class EntryPointInvocation(Assembly assembly, IReadOnlyList<string> arguments) : IDisposable
{
    private static readonly AsyncLocal<EntryPointInvocation?> Running = new();
    private readonly TaskCompletionSource<DistributedApplicationBuilder> _described = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> _built = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayBuild = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The invocation that the current code runs in; null in an AppHost that was started as a program.</summary>
    public static EntryPointInvocation? Current => Running.Value;

    /// <summary>The AppHost's assembly.</summary>
    public Assembly Assembly { get; } = assembly;

    /// <summary>The command line.</summary>
    public IReadOnlyList<string> Arguments { get; } = arguments;

    /// <summary>Runs the entry point until the application is described.</summary>
    public Task<DistributedApplicationBuilder> DescribeAsync(CancellationToken cancellationToken)
    {
        // It may describe the application faster than anybody can turn away.
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<DistributedApplicationBuilder>(cancellationToken);
        }

        // A thread of its own, since the entry point blocks until the test is over.
        var thread = new Thread(Run) { IsBackground = true, Name = Assembly.GetName().Name };
        thread.Start();
        return _described.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Lets the entry point build the application.</summary>
    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        _mayBuild.TrySetResult();
        return _built.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Called by the entry point when it has described the application; returns when the test wants it built.</summary>
    public void Described(DistributedApplicationBuilder builder)
    {
        _described.TrySetResult(builder);
        _mayBuild.Task.GetAwaiter().GetResult();
    }

    /// <summary>Called by the entry point when it has built the application.</summary>
    public void Built(DistributedApplication application) => _built.TrySetResult(application);

    /// <summary>Ends an entry point that nobody will let build any more.</summary>
    public void Dispose() => _mayBuild.TrySetCanceled();

    private void Run()
    {
        Running.Value = this;
        try
        {
            var entryPoint = Assembly.EntryPoint ?? throw new InvalidOperationException($"{Assembly.GetName().Name} has no entry point.");
            var result = entryPoint.Invoke(null, entryPoint.GetParameters().Length == 0 ? [] : [Array.Empty<string>()]);
            if (result is Task task)
            {
                task.GetAwaiter().GetResult();
            }

            Fail(new InvalidOperationException($"The entry point of {Assembly.GetName().Name} ended without building an application."));
        }
        catch (TargetInvocationException exception)
        {
            Fail(exception.InnerException ?? exception);
        }
#pragma warning disable CA1031 // Whatever the entry point throws belongs to the test that awaits it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fail(exception);
        }
    }

    private void Fail(Exception exception)
    {
        _described.TrySetException(exception);
        _built.TrySetException(exception);
        // The test may have turned away already: then nobody is left to observe it.
        _ = _described.Task.Exception;
        _ = _built.Task.Exception;
    }
}
