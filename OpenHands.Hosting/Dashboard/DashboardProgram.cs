using System.Text;
using Aspire.Hosting;

namespace OpenHands.Hosting.Dashboard;

/// <summary>The program that shows the application.</summary>
/// <param name="FileName">Its name on the path, or its path.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record DashboardProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>The folder its files lie in: that of the assembly or program that is run.</summary>
    public string? Directory => Arguments.Prepend(FileName).Where(File.Exists).Select(file => Path.GetDirectoryName(Path.GetFullPath(file))).LastOrDefault();

    /// <summary>Takes a command line apart at its spaces; a part in quotes keeps them.</summary>
    /// <exception cref="DistributedApplicationException">It is empty, or a quote is not closed.</exception>
    public static DashboardProgram Parse(string command)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quoted, begun) = (false, false);
        foreach (var c in command)
        {
            if (c == '"')
            {
                (quoted, begun) = (!quoted, true);
            }
            else if (c == ' ' && !quoted)
            {
                Finish();
            }
            else
            {
                word.Append(c);
                begun = true;
            }
        }

        Finish();
        return words is [var fileName, .. var arguments] && !quoted
            ? new DashboardProgram(fileName, arguments)
            : throw new DistributedApplicationException($"--Dashboard:Command is '{command}': it must be a program and its arguments, such as \"dotnet /opt/aspire/Aspire.Dashboard.dll\".");

        void Finish()
        {
            if (begun)
            {
                words.Add(word.ToString());
                word.Clear();
                begun = false;
            }
        }
    }
}
