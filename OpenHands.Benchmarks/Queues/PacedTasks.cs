namespace OpenHands.Benchmarks.Queues;

/// <summary>Enqueues at a steady pace, whether or not what went before is done, and notes when each task starts.</summary>
internal static class PacedTasks
{
    /// <summary>Runs them.</summary>
    /// <returns>Milliseconds from the commit of each until it started; below zero when it started before its producer knew.</returns>
    public static async Task<double[]> RunAsync(OurQueue queue, int tasks, int perSecond, CancellationToken cancellationToken)
    {
        var (added, started, left) = (new long[tasks + 1], new long[tasks + 1], tasks);
        var (first, done) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var working = await queue.WorkAsync(
            task =>
            {
                started[task] = TimeProvider.System.GetTimestamp();
                if (task == tasks)
                    first.TrySetResult();
                else if (Interlocked.Decrement(ref left) == 0)
                    done.TrySetResult();
            },
            () => { },
            cancellationToken);
        await CommitAsync(tasks); // one more, which starts once the worker has heard that the queue is no longer paused
        await first.Task.WaitAsync(cancellationToken);
        var (begun, adding) = (TimeProvider.System.GetTimestamp(), new List<Task>());
        for (var task = 0; task < tasks; task++)
        {
            var wait = TimeSpan.FromSeconds((double)task / perSecond) - TimeProvider.System.GetElapsedTime(begun);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, TimeProvider.System, cancellationToken);
            adding.Add(CommitAsync(task));
        }

        await Task.WhenAll(adding);
        await done.Task.WaitAsync(cancellationToken);
        return [.. added.Take(tasks).Zip(started, (from, to) => TimeProvider.System.GetElapsedTime(from, to).TotalMilliseconds)];

        async Task CommitAsync(int task)
        {
            var committedAt = await queue.CommitAsync(task, cancellationToken);
            added[task] = committedAt;
        }
    }
}
