namespace OpenHands.Dashboard.Telemetry;

/// <summary>The newest entries, oldest first: at most so many, and at most so many bytes of them. Not safe for threads.</summary>
/// <param name="capacity">How many at most.</param>
/// <param name="bytes">How many bytes at most, as the entries say.</param>
/// <param name="sizeOf">The bytes of an entry.</param>
internal sealed class Ring<T>(int capacity, long bytes, Func<T, int> sizeOf)
{
    private readonly Queue<T> _entries = new();

    /// <summary>The bytes of what is kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many are kept.</summary>
    public int Count => _entries.Count;

    /// <summary>What is kept, oldest first.</summary>
    public IReadOnlyCollection<T> Entries => _entries;

    /// <summary>Adds the newest entry and lets the oldest go.</summary>
    public void Add(T entry)
    {
        _entries.Enqueue(entry);
        Bytes += sizeOf(entry);
        while (_entries.Count > capacity || (Bytes > bytes && _entries.Count > 1))
        {
            Bytes -= sizeOf(_entries.Dequeue());
        }
    }
}
