namespace Aspire.Hosting.ApplicationModel;

/// <summary>The project's launch profiles are not read.</summary>
internal sealed class ExcludeLaunchProfileAnnotation : IResourceAnnotation;
