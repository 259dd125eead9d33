using System.Net;
using OpenHands.Api.GitProviders;

namespace OpenHands.Tests.Api.GitProviders;

/// <summary>Which addresses count as open to everybody. What is not known to be is not.</summary>
public sealed class AddressReachTests
{
    [Theory]
    [InlineData("140.82.121.6")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("100.128.0.1")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:50c0:8000::153")]
    [InlineData("::ffff:140.82.121.6")]
    [InlineData("64:ff9b::8c52:7906")]
    public void An_address_of_the_open_network_is_public(string address) => Assert.Equal(AddressReach.Public, IPAddress.Parse(address).Reach());

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("10.0.0.1")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    public void An_address_of_a_network_of_one_s_own_is_private(string address) => Assert.Equal(AddressReach.Private, IPAddress.Parse(address).Reach());

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    [InlineData("100.100.100.200")]
    [InlineData("192.0.0.192")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2001:0:4136:e378::1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("::7f00:1")]
    public void An_address_where_no_git_provider_stands_is_never_asked(string address) => Assert.Equal(AddressReach.Never, IPAddress.Parse(address).Reach());
}
