namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a reference puts into the environment of the resource that refers.</summary>
[Flags]
public enum ReferenceEnvironmentInjectionFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>ConnectionStrings__{name}</c>.</summary>
    ConnectionString = 1,

    /// <summary>The parts of a connection string, such as <c>REDIS_HOST</c>.</summary>
    ConnectionProperties = 2,

    /// <summary><c>services__{name}__{scheme}__0</c>.</summary>
    ServiceDiscovery = 4,

    /// <summary><c>{NAME}_{ENDPOINT}</c>.</summary>
    Endpoints = 8,

    /// <summary>All of these.</summary>
    All = ConnectionString | ConnectionProperties | ServiceDiscovery | Endpoints,
}
