namespace Aspire.Hosting.ApplicationModel;

/// <summary>A part of the application: a server, a database, a project, a parameter.</summary>
public interface IResource
{
    /// <summary>The name, unique in the application ignoring case.</summary>
    string Name { get; }

    /// <summary>Everything that was said about the resource, in the order it was said.</summary>
    ResourceAnnotationCollection Annotations { get; }
}
