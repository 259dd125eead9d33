namespace Aspire.Hosting;

/// <summary>The application cannot be built or run as it was described; the message says what to do.</summary>
public class DistributedApplicationException : Exception
{
    /// <summary>Says what is wrong.</summary>
    public DistributedApplicationException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong, and what caused it.</summary>
    public DistributedApplicationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
