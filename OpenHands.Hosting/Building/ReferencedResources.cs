using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Finds the resources that a value is made of, however deep.</summary>
internal static class ReferencedResources
{
    public static IReadOnlyList<IResource> Of(object value)
    {
        var found = new List<IResource>();
        Collect(value, found);
        return found;
    }

    private static void Collect(object value, List<IResource> found)
    {
        if (value is IResource resource)
        {
            if (!found.Contains(resource))
            {
                found.Add(resource);
            }

            return;
        }

        foreach (var reference in (value as IValueWithReferences)?.References ?? [])
        {
            Collect(reference, found);
        }
    }
}
