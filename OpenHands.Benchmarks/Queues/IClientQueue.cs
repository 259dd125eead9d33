namespace OpenHands.Benchmarks.Queues;

/// <summary>A queue as its client uses it.</summary>
internal interface IClientQueue : IAsyncDisposable
{
    /// <summary>Gets ready to enqueue.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Enqueues one task, durably as far as the queue can.</summary>
    /// <param name="task">Its number.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task AddAsync(int task, CancellationToken cancellationToken);

    /// <summary>Handles tasks until it is disposed, 16 at a time.</summary>
    /// <param name="started">Called with the number of every task that starts.</param>
    /// <param name="acknowledged">Called for every task once its end is recorded.</param>
    /// <param name="cancellationToken">Ends the attempt to begin.</param>
    Task<IAsyncDisposable> WorkAsync(Action<int> started, Action acknowledged, CancellationToken cancellationToken);
}
