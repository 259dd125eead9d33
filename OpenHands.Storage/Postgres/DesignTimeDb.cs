using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace OpenHands.Storage.Postgres;

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without a server, a service or a configuration.</summary>
internal sealed class DesignTimeDb : IDesignTimeDbContextFactory<OpenHandsDb>
{
    public OpenHandsDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql("Host=localhost;Database=openhands").UseOpenHandsDb();
        return new OpenHandsDb(options.Options);
    }
}
