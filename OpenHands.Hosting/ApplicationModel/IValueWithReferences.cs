namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value made of other values or resources.</summary>
public interface IValueWithReferences
{
    /// <summary>What the value refers to.</summary>
    IEnumerable<object> References { get; }
}
