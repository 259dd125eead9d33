namespace OpenHands.Benchmarks.Measuring;

/// <summary>For what a commit waits.</summary>
internal enum Durability
{
    /// <summary>For nothing.</summary>
    None,

    /// <summary>For the disk of this machine, as by PostgreSQL's defaults.</summary>
    Disk,

    /// <summary>By PostgreSQL's defaults for a disk that is memory: a wait of known length can be put on top.</summary>
    Memory,
}
