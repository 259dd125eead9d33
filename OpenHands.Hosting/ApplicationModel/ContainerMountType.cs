namespace Aspire.Hosting.ApplicationModel;

/// <summary>The kinds of mounts.</summary>
public enum ContainerMountType
{
    /// <summary>A folder of the machine.</summary>
    BindMount,

    /// <summary>A named volume.</summary>
    Volume,
}
