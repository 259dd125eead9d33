namespace Aspire.Hosting;

/// <summary>The application cannot be built or run as it was described; the message says what to do.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="innerException">The cause.</param>
public class DistributedApplicationException(string message, Exception? innerException = null) : Exception(message, innerException);
