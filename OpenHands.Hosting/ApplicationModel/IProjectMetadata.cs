using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Where a project resource lies; implemented by the generated <c>Projects.*</c> classes.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The absolute path of the project file.</summary>
    string ProjectPath { get; }

    /// <summary>True when the project is built already and must not be built again at start.</summary>
    bool SuppressBuild => false;
}
