using System.Globalization;
using System.Text;

namespace TokenFactory.Planning.Deploy;

/// <summary>
/// The shell script that starts a replica's engine. Where a replica has several machines, each runs it with LEADER_ADDRESS (the first
/// one's) and NODE_RANK (its number, from 0) in its environment; engines that start their processes by MPI need NODES (all addresses) too.
/// </summary>
internal static class LaunchScript
{
    /// <summary>Where the addresses of a replica's machines are written for MPI.</summary>
    public const string HostFile = "/tmp/nodes";

    /// <summary>The script, without the line that names its shell.</summary>
    public static string Of(PoolSite pool, EngineLaunch launch)
    {
        var command = $"exec {Shell.Lines(launch.Program, launch.Words)}";
        if (launch.WorkerScript is { } worker)
            return $"if [ \"$NODE_RANK\" -gt 0 ]; then\n  {worker}\nfi\n{Hosts(pool)}{command}\n";
        if (launch.WorkerWords.Count == 0)
            return command + "\n";
        var words = string.Join(' ', launch.WorkerWords.Select(word => word.Shell));
        return $"set --\nif [ \"$NODE_RANK\" -gt 0 ]; then\n  set -- {words}\nfi\n{command} \\\n  \"$@\"\n";
    }

    /// <summary>The variables as a LeaderWorkerSet names them, given the names of the script.</summary>
    public static string OfLeaderWorkerSet(EngineLaunch launch)
    {
        var text = new StringBuilder("export LEADER_ADDRESS=\"$LWS_LEADER_ADDRESS\" NODE_RANK=\"$LWS_WORKER_INDEX\"\n");
        if (launch.WorkerScript is null)
            return text.ToString();
        text.Append("NODES=\"$LWS_LEADER_ADDRESS\"\nindex=1\nwhile [ \"$index\" -lt \"$LWS_GROUP_SIZE\" ]; do\n");
        text.Append("  NODES=\"$NODES ${LWS_LEADER_ADDRESS%%.*}-$index.${LWS_LEADER_ADDRESS#*.}\"\n  index=$((index + 1))\ndone\n");
        return text.ToString();
    }

    /// <summary>Waits for the other machines and lists them for MPI.</summary>
    private static string Hosts(PoolSite pool)
    {
        var port = TensorRtCommand.SshPort.ToString(CultureInfo.InvariantCulture);
        var slots = pool.NodeGpus.ToString(CultureInfo.InvariantCulture);
        var knock = $"ssh -p {port} -o StrictHostKeyChecking=no \"$node\" true";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"rm -f {HostFile}\nfor node in $NODES; do\n");
        text.Append(CultureInfo.InvariantCulture, $"  [ \"$node\" = \"$LEADER_ADDRESS\" ] || until {knock}; do sleep 5; done\n");
        text.Append(CultureInfo.InvariantCulture, $"  echo \"$node slots={slots}\" >>{HostFile}\ndone\n");
        return text.ToString();
    }
}
