namespace Aspire.Hosting.ApplicationModel;

/// <summary>What happens to an annotation of the same type that is there already.</summary>
public enum ResourceAnnotationMutationBehavior
{
    /// <summary>Both are kept.</summary>
    Append = 0,

    /// <summary>The new one replaces it.</summary>
    Replace = 1,
}
