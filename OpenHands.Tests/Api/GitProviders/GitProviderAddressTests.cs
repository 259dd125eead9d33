using OpenHands.Api.GitProviders;

namespace OpenHands.Tests.Api.GitProviders;

/// <summary>Where each provider is asked, for whatever users write as its host.</summary>
public sealed class GitProviderAddressTests
{
    [Theory]
    [InlineData("github", null, "https://api.github.com/user")]
    [InlineData("github", "GitHub.com", "https://api.github.com/user")]
    [InlineData("github", "git.example.org", "https://git.example.org/api/v3/user")]
    [InlineData("gitlab", null, "https://gitlab.com/api/v4/user")]
    [InlineData("gitlab", "git.example.org:8443/", "https://git.example.org:8443/api/v4/user")]
    [InlineData("gitlab", "https://example.org/gitlab", "https://example.org/gitlab/api/v4/user")]
    [InlineData("gitlab", "http://10.0.0.1", "http://10.0.0.1/api/v4/user")]
    [InlineData("bitbucket", null, "https://api.bitbucket.org/2.0/user")]
    [InlineData("forgejo", null, "https://codeberg.org/api/v1/user")]
    [InlineData("forgejo", "[2606:50c0::1]:3000", "https://[2606:50c0::1]:3000/api/v1/user")]
    [InlineData("azure_devops", "contoso", "https://dev.azure.com/contoso/_apis/connectionData?api-version=7.1-preview.1")]
    [InlineData("azure_devops", "https://dev.azure.com/contoso/project", "https://dev.azure.com/contoso/_apis/connectionData?api-version=7.1-preview.1")]
    [InlineData("azure_devops", "tfs.example.org/collection", "https://tfs.example.org/collection/_apis/connectionData?api-version=7.1-preview.1")]
    public void A_host_leads_to_the_provider_s_interface_there(string provider, string? host, string expected) =>
        Assert.Equal(expected, GitProvider.Find(provider)!.Address(host)?.AbsoluteUri);

    [Theory]
    [InlineData("azure_devops", null)]
    [InlineData("azure_devops", "dev.azure.com")]
    [InlineData("gitlab", "user@git.example.org")]
    [InlineData("gitlab", "user:password@git.example.org")]
    [InlineData("gitlab", "git.example.org?x=")]
    [InlineData("gitlab", "git.example.org#")]
    [InlineData("gitlab", "git.example.org\\@other.example.org")]
    [InlineData("gitlab", "file:///etc/passwd")]
    [InlineData("gitlab", "gopher://git.example.org")]
    [InlineData("gitlab", "://")]
    [InlineData("gitlab", "git.example.org:99999")]
    public void What_is_more_or_less_than_a_host_leads_nowhere(string provider, string? host) => Assert.Null(GitProvider.Find(provider)!.Address(host));
}
