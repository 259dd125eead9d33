using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>deploy/deploy.sh: what it renders with the real kubectl, and what it asks of a cluster that writes down what it is asked.</summary>
public sealed class DeployScriptTests : IDisposable
{
    private const string Complete = "openhands-postgres openhands-redis openhands-key-ring";

    private static readonly string Script = Path.Combine(Kubectl.Folder, "../deploy.sh");

    private readonly TestFolder _folder = new();

    private string Asked => File.Exists(_folder["asked"]) ? File.ReadAllText(_folder["asked"]) : "";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Images_and_host_are_options()
    {
        var (exitCode, output, errors) = await RunAsync("", "render", "production", "--registry=registry.example.org:5000/acme/openhands", "--tag=1.2.3", "--host=oh.example.org");

        Assert.True(exitCode == 0, errors);
        var manifests = Manifests.Read(output);
        Assert.Equal("registry.example.org:5000/acme/openhands/api:1.2.3", manifests.Pods("api").Container.Image);
        Assert.Equal("registry.example.org:5000/acme/openhands/worker:1.2.3", manifests.Pods("worker").Container.Image);
        Assert.Equal("registry.example.org:5000/acme/openhands/worker:1.2.3", manifests.Pods("migrations").Container.Image);
        Assert.DoesNotContain("example.com", output, StringComparison.Ordinal);
        Assert.Empty(ManifestRules.Findings(manifests));
    }

    [Theory]
    [InlineData(2, "there is no overlay prod; there are development, production", "render", "prod")]
    [InlineData(2, "there is no component pgpool; there are cloudnative-pg, managed-databases, pgbouncer", "render", "production", "--component=pgpool")]
    [InlineData(2, "--registry=Acme/OpenHands names no place of images", "render", "production", "--registry=Acme/OpenHands")]
    [InlineData(2, "--registry=ghcr.io/acme/openhands:1.2 names no place of images", "render", "production", "--registry=ghcr.io/acme/openhands:1.2")]
    [InlineData(2, "--tag=1:2 is no tag", "render", "production", "--tag=1:2")]
    [InlineData(2, "--host=https://oh.example.org is no host name", "render", "production", "--host=https://oh.example.org")]
    [InlineData(2, "there is no option --regstry", "render", "production", "--regstry=x")]
    [InlineData(2, "there is no command destroy", "destroy")]
    [InlineData(2, "render wants one overlay", "render")]
    [InlineData(2, "appoint wants the number of a PostgreSQL", "appoint", "postgres-1")]
    [InlineData(2, "there is no postgres-3; there are postgres-0 to postgres-2", "appoint", "3")]
    [InlineData(1, "the images are still those of registry.example.com: say --registry and --tag", "apply", "production")]
    [InlineData(1, "the Ingress still says openhands.example.com: say --host", "apply", "production", "--registry=ghcr.io/acme", "--tag=1")]
    public async Task Bad_input_is_refused_with_what_would_be_right_and_changes_nothing(int expected, string message, params string[] arguments)
    {
        var (exitCode, _, errors) = await RunAsync(Complete, arguments);

        Assert.Equal(expected, exitCode);
        Assert.Contains(message, Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain("apply", Asked, StringComparison.Ordinal);
        Assert.DoesNotContain("delete", Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_secret_is_named_before_anything_is_applied()
    {
        var (exitCode, _, errors) = await RunAsync("openhands-postgres openhands-key-ring", "apply", "production", "--registry=ghcr.io/acme", "--tag=1", "--host=oh.example.org");

        Assert.Equal(1, exitCode);
        Assert.Contains("lacks these secrets (name/key): openhands-redis/password.", errors, StringComparison.Ordinal);
        Assert.Contains("deploy.sh secrets", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("apply", Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrations_end_before_the_services_are_applied()
    {
        var count = Manifests.Read(await Kubectl.RenderAsync("overlays/production")).Objects.Count;
        var (exitCode, _, errors) = await RunAsync(Complete, "apply", "production", "--registry=ghcr.io/acme", "--tag=1", "--host=oh.example.org", "--context=staging");

        Assert.True(exitCode == 0, errors);
        var steps = Asked.Split('\n').Where(line => !line.Contains(" get ", StringComparison.Ordinal) && line.Length > 0).ToList();
        Assert.Equal(
            [
                "--context=staging --namespace=openhands delete job migrations --ignore-not-found",
                $"--context=staging apply -f - ({count - 2} without Deployments)",
                "--context=staging --namespace=openhands wait --for=condition=complete --timeout=30m job/migrations",
                "--context=staging apply -f - (2 Deployments)",
                "--context=staging --namespace=openhands rollout status deployment/api --timeout=15m",
                "--context=staging --namespace=openhands rollout status deployment/worker --timeout=15m",
            ],
            steps);
    }

    [Fact]
    public async Task Secrets_are_made_once_at_random_and_never_as_arguments()
    {
        var (exitCode, output, errors) = await RunAsync("openhands-redis", "secrets");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("secret openhands-redis is there and left alone", output, StringComparison.Ordinal);
        var made = File.ReadAllText(_folder["created"]);
        var values = System.Text.RegularExpressions.Regex.Matches(made, "\"([A-Za-z0-9]*)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal([24, 24, 24, 24, 43], values.Select(value => value.Length));
        Assert.Equal(5, values.Distinct().Count());
        Assert.All(values, value => Assert.DoesNotContain(value, Asked + output + errors, StringComparison.Ordinal));
        Assert.Contains("keep a copy of it away from the cluster", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Appointing_writes_down_who_may_take_writes_and_tells_the_next_step()
    {
        var (exitCode, output, errors) = await RunAsync(Complete, "appoint", "1");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("exec postgres-1 --container postgres -- sh /scripts/promote.sh", output, StringComparison.Ordinal);
        Assert.Contains("data: {primary: \"1\"}", File.ReadAllText(_folder["applied"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_operators_command_runs_on_the_primary_with_the_installations_secrets_out_of_sight()
    {
        // No shell: it would drop the variables whose names it cannot write.
        File.WriteAllText(_folder["dotnet"],
            $"""
            #!/usr/bin/perl
            print "$_=$ENV{'{'}$_{'}'}\n" for sort grep /^ConnectionStrings/, keys %ENV;
            open my $command, '>', '{_folder["command"]}'; print $command "@ARGV\n"; close $command;
            exit 3;
            """);
        File.SetUnixFileMode(_folder["dotnet"], TestFolder.Everyone);

        var (exitCode, output, _) = await RunAsync(Complete, "--context=staging", "operator", "keys", "create", "--name", "first key");

        Assert.Equal(3, exitCode);
        Assert.Equal(
            [
                "ConnectionStrings__openhands-admin=Host=127.0.0.1;Port=54321;Username=postgres;Password=secret;Database=openhands",
                "ConnectionStrings__openhands-system=Host=127.0.0.1;Port=54321;Username=openhands_system;Password=secret;Database=openhands",
                "ConnectionStrings__openhands=Host=127.0.0.1;Port=54321;Username=openhands_app;Password=secret;Database=openhands",
                "ConnectionStrings__secrets=secret",
            ],
            output.Split('\n').Where(line => line.StartsWith("ConnectionStrings", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.EndsWith("OpenHands.Cli -- keys create --name first key\n", File.ReadAllText(_folder["command"]), StringComparison.Ordinal);
        Assert.Contains("--context=staging --namespace=openhands port-forward pod/postgres-2 :5432", Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_command_overlay_and_component()
    {
        var (exitCode, output, _) = await RunAsync("", "--help");

        Assert.Equal(0, exitCode);
        Assert.All(
            ["render", "apply", "secrets", "appoint", "operator", "development, production", "cloudnative-pg, managed-databases, pgbouncer"],
            word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    private Task<(int ExitCode, string Output, string Errors)> RunAsync(string secrets, params string[] arguments)
    {
        // Everything about rendering is the real one's; of a cluster it knows the secrets that it is told.
        File.WriteAllText(_folder["kubectl"],
            $$"""
            #!/usr/bin/env bash
            if [ "$1" = kustomize ]; then exec "{{Kubectl.Program}}" "$@"; fi
            line="$*"
            case " $line " in
                *' apply -f - '*)
                    cat >"{{_folder["applied"]}}"
                    deployments=$(grep -c '^kind: Deployment' "{{_folder["applied"]}}")
                    if [ "$deployments" = 0 ]; then line+=" ($(grep -c '^kind:' "{{_folder["applied"]}}") without Deployments)"; else line+=" ($deployments Deployments)"; fi ;;
                *' create -f - '*) cat >>"{{_folder["created"]}}" ;;
                *' get secret '*)
                    name=${line#*get secret } name=${name%% *}
                    [[ " {{secrets}} " == *" $name "* ]] || exit 1
                    case "$line" in *base64decode*) echo secret ;; *) echo c2VjcmV0 ;; esac ;;
                *' get service '*) exit 1 ;;
                *' get configmap '*) echo 2 ;;
                *' port-forward '*)
                    echo "$line" >>"{{_folder["asked"]}}"
                    echo 'Forwarding from 127.0.0.1:54321 -> 5432'
                    exec sleep 60 ;;
                *' get statefulset '*) echo 3 ;;
            esac
            echo "$line" >>"{{_folder["asked"]}}"
            """.Replace("\r", "", StringComparison.Ordinal));
        File.SetUnixFileMode(_folder["kubectl"], TestFolder.Everyone);
        return Kubectl.RunAsync("env", [$"PATH={_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}", "bash", Script, .. arguments]);
    }
}
