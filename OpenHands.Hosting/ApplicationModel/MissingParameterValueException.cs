namespace Aspire.Hosting;

/// <summary>A parameter has neither a value nor a default.</summary>
/// <param name="message">Names the parameter and how to set it.</param>
public sealed class MissingParameterValueException(string message) : DistributedApplicationException(message);
