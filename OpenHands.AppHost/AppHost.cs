using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);
var publishing = builder.ExecutionContext.IsPublishMode;
const ReferenceEnvironmentInjectionFlags References = ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery;

// Secrets: generated once and kept on a laptop, given from outside in a cluster.
var postgresPassword = Secret("postgres-password", "password of PostgreSQL's superuser");
var appPassword = Secret("postgres-app-password", "password of the role that api and worker connect as");
var systemPassword = Secret("postgres-system-password", "password of the role that the worker's maintenance connects as");
var redisPassword = Secret("redis-password", "password of Redis");
var secretsKey = Secret("secrets-key", "the key that everything encrypted at rest hangs on; back it up", length: 43);

// PostgreSQL is the truth. Only migrations reach it as its owner.
var postgres = builder.AddPostgres("postgres", password: postgresPassword, port: Setting("Ports:Postgres")).WithDataVolume();
var database = postgres.AddDatabase("openhands");
var app = Role("openhands-app", "openhands_app", appPassword);
var system = Role("openhands-system", "openhands_system", systemPassword);
var keyRing = builder.AddConnectionString("key-ring", ReferenceExpression.Create($"{secretsKey}"));
if (publishing)
{
    // initdb refuses the root of a volume that holds lost+found.
    postgres.WithEnvironment("PGDATA", "/var/lib/postgresql/data/pgdata");
}

// Redis may be lost at any moment.
var redis = builder.AddRedis("redis", port: Setting("Ports:Redis"), password: redisPassword).WithDataVolume().WithPersistence();

// In a cluster the step is a deployment, which must not end; here others wait for its end.
string[] migrate = publishing ? ["migrate", "--stay"] : ["migrate"];
var migrations = builder.AddProject<Projects.OpenHands_Worker>("migrations", options => options.ExcludeLaunchProfile = true)
    .WithArgs(migrate)
    .WithReferenceEnvironment(References)
    .WithReference(database, connectionName: "openhands-admin")
    .WithReference(app, connectionName: "openhands")
    .WithReference(system)
    .WaitFor(database);

builder.AddProject<Projects.OpenHands_Api>("api", options => options.ExcludeLaunchProfile = true)
    .WithReferenceEnvironment(References)
    .WithReference(app, connectionName: "openhands")
    .WithReference(redis)
    .WithReference(keyRing, connectionName: "secrets")
    .WaitFor(redis)
    .WaitForCompletion(migrations)
    .WithHttpEndpoint(port: publishing ? 8080 : Setting("Ports:Api"), targetPort: publishing ? 8080 : null)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health")
    .WithReplicas(Setting("Replicas:Api") ?? 1);

var worker = builder.AddProject<Projects.OpenHands_Worker>("worker", options => options.ExcludeLaunchProfile = true)
    .WithReferenceEnvironment(References)
    .WithReference(system)
    .WithReference(app, connectionName: "openhands")
    .WithReference(redis)
    .WithReference(keyRing, connectionName: "secrets")
    .WaitFor(redis)
    .WaitForCompletion(migrations)
    .WithHttpEndpoint(port: publishing ? 8080 : null, targetPort: publishing ? 8080 : null)
    .WithHttpHealthCheck("/health")
    .WithReplicas(Setting("Replicas:Worker") ?? 1);
if (!publishing)
{
    // Whoever shows the queues asks the worker with it; in a cluster operators set their own.
    worker.WithEnvironment("Operators__Key", ReferenceExpression.Create($"{Secret("operators-key", "what opens the worker's routes for operators")}"));
}

builder.Build().Run();

int? Setting(string key) => builder.Configuration.GetValue<int?>(key);

IResourceBuilder<ParameterResource> Secret(string name, string description, int length = 24) =>
    builder.AddParameter(name, new GenerateParameterDefault { MinLength = length, Special = false }, secret: true, persist: true)
        .WithDescription(description);

IResourceBuilder<ConnectionStringResource> Role(string name, string user, IResourceBuilder<ParameterResource> password)
{
    var (host, port) = (postgres.Resource.PrimaryEndpoint.Property(EndpointProperty.Host), postgres.Resource.PrimaryEndpoint.Property(EndpointProperty.Port));
    return builder.AddConnectionString(name, ReferenceExpression.Create($"Host={host};Port={port};Username={user};Password={password};Database={database.Resource.DatabaseName}"));
}
