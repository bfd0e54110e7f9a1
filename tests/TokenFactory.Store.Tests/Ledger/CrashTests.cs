using System.Diagnostics;
using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Store.Tests.Ledger;

/// <summary>Journals that a crash, a power cut or a broken disk left.</summary>
public sealed class CrashTests
{
    private const string FolderVariable = "TOKENFACTORY_TEST_JOURNAL";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Where this process is one that a test started: what it works in. It runs the same test, as the part of the child.</summary>
    private static string? Given => Environment.GetEnvironmentVariable(FolderVariable);

    [Fact]
    public async Task Cut_at_any_byte_the_journal_gives_all_whole_records_before()
    {
        var dice = new Dice(1);
        var records = dice.Many(12, 12, () => Records.Usage(dice) with { Error = "" });
        await using var template = new JournalPlace();
        await template.LeaveAsync(records, segmentBytes: 1 << 20);
        var bytes = await File.ReadAllBytesAsync(template.Segments.Single(), Cancel);
        var ends = Ends(bytes);
        for (var length = ends[9]; length <= bytes.Length; length += Cases.Long ? 1 : 7)
            await RecoverAsync(bytes[..length], [.. records.Take(ends.Count(end => end <= length)).Select(record => record.Id)]);
        for (var length = 0; length < ends[0]; length += 19)
            await RecoverAsync(bytes[..length], []);
    }

    [Fact]
    public void Flipped_bytes_lose_no_record_before_them_invent_none_and_are_told() =>
        Cases.Check(40, dice => FlipAsync(dice).GetAwaiter().GetResult());

    [Fact]
    public async Task A_journal_of_a_newer_program_is_left_alone()
    {
        await using var place = new JournalPlace();
        Directory.CreateDirectory(place.Folder);
        var file = Path.Combine(place.Folder, "journal-000001.log");
        await File.WriteAllTextAsync(file, "TFLDGR2\nsomething", Cancel);
        var refusal = await Assert.ThrowsAsync<JournalException>(() => place.OpenAsync());
        Assert.Contains("newer", refusal.Message);
        Assert.Equal("TFLDGR2\nsomething", await File.ReadAllTextAsync(file, Cancel));
    }

    /// <summary>Processes write to the same journal one after the other, and each is killed in the midst of it.</summary>
    [Fact]
    public async Task What_a_killed_process_had_acknowledged_is_in_the_store_exactly_once()
    {
        if (Given is { } given)
        {
            await WriteUntilKilledAsync(given);
            return;
        }

        var folder = Directory.CreateTempSubdirectory("tf-killed-").FullName;
        try
        {
            for (var round = 0; round < (Cases.Long ? 100 : 4); round++)
                await KillAsync(folder, acknowledgements: 500 + (round * 397));
            await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")));
            await using (var writer = await LedgerWriter.OpenAsync(store, new JournalOptions(folder), TimeProvider.System, null, Cancel))
                await writer.FlushAsync(Cancel);
            var records = await store.UsageAsync(default, TokenFactory.Units.Instant.Never, Cancel).ToListAsync(Cancel);
            var stored = records.ConvertAll(record => record.Id);
            var acknowledged = Lines(Path.Combine(folder, "acknowledged"));
            Assert.Equal(stored.Count, stored.Distinct().Count());
            Assert.Empty(acknowledged.Except(stored));
            Assert.True(acknowledged.Count > 1000, $"{acknowledged.Count} were acknowledged");
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What the processes do that are killed.</summary>
    private static async Task WriteUntilKilledAsync(string folder)
    {
        await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")));
        var options = new JournalOptions(folder) { SegmentBytes = 100_000 };
        await using var writer = await LedgerWriter.OpenAsync(store, options, TimeProvider.System, null, Cancel);
        using var acknowledged = new FileStream(
            Path.Combine(folder, "acknowledged"), FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () =>
            {
                var dice = new Dice(caller);
                while (true)
                {
                    var record = Records.Usage(dice, Guid.NewGuid().ToString("N"));
                    await writer.CommitAsync(record);
                    lock (acknowledged)
                        acknowledged.Write(System.Text.Encoding.ASCII.GetBytes(record.Id + "\n"));
                }
            },
            Cancel)));
    }

    /// <summary>On a disk of 200 kB of its own, in a process of its own.</summary>
    [Fact]
    public async Task A_full_disk_is_told_to_those_who_wait_and_room_mends_it()
    {
        if (Given is { } given)
        {
            await WriteUntilFullAsync(given);
            return;
        }

        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can make a small disk");
        var folder = Directory.CreateTempSubdirectory("tf-full-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "disk"));
            var child = Child(nameof(A_full_disk_is_told_to_those_who_wait_and_room_mends_it), folder);
            var script = $"mount -t tmpfs -o size=200k none {folder}/disk && exec \"$0\" \"$@\"";
            var start = new ProcessStartInfo("unshare", ["-m", "sh", "-c", script, child.FileName, .. child.ArgumentList])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            start.Environment[FolderVariable] = folder;
            using var process = Process.Start(start)!;
            var said = process.StandardOutput.ReadToEndAsync(Cancel);
            var complained = await process.StandardError.ReadToEndAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            var forbidden = complained.Contains("unshare failed") || complained.Contains("permission denied");
            Assert.SkipWhen(forbidden, $"no small disk can be made here: {complained}");
            Assert.True(process.ExitCode == 0 && (await said).Contains("Total: 1,"), await said + complained);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What the process on the small disk does.</summary>
    private static async Task WriteUntilFullAsync(string folder)
    {
        var disk = Path.Combine(folder, "disk");
        await File.WriteAllBytesAsync(Path.Combine(disk, "ballast"), new byte[100_000], Cancel);
        await using var store = new HeldStore(UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")))) { Shut = true };
        await using var writer = await LedgerWriter.OpenAsync(
            store, new JournalOptions(Path.Combine(disk, "journal")), TimeProvider.System, null, Cancel);
        var (dice, acknowledged, refused) = (new Dice(1), new List<string>(), 0);
        while (refused < 20)
        {
            var record = Records.Usage(dice);
            try
            {
                await writer.CommitAsync(record);
                acknowledged.Add(record.Id);
            }
            catch (JournalException)
            {
                refused++;
            }
        }

        Assert.True(acknowledged.Count > 50, $"{acknowledged.Count} were taken");
        File.Delete(Path.Combine(disk, "ballast"));
        foreach (var record in dice.Many(50, 50, () => Records.Usage(dice) with { Error = "" }))
        {
            await writer.CommitAsync(record);
            acknowledged.Add(record.Id);
        }

        store.Shut = false;
        await writer.FlushAsync(Cancel);
        var stored = await store.UsageAsync(default, TokenFactory.Units.Instant.Never, Cancel).ToListAsync(Cancel);
        Assert.Equal(acknowledged.Order(StringComparer.Ordinal), stored.Select(record => record.Id).Order(StringComparer.Ordinal));
    }

    private static ProcessStartInfo Child(string test, string folder)
    {
        var start = new ProcessStartInfo(
            Path.ChangeExtension(typeof(CrashTests).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null),
            ["-noColor", "-method", $"{typeof(CrashTests).FullName}.{test}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment[FolderVariable] = folder;
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("TESTINGPLATFORM", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        return start;
    }

    private static async Task KillAsync(string folder, int acknowledgements)
    {
        using var process = Process.Start(Child(nameof(What_a_killed_process_had_acknowledged_is_in_the_store_exactly_once), folder))!;
        var said = process.StandardOutput.ReadToEndAsync(Cancel);
        var file = Path.Combine(folder, "acknowledged");
        var before = File.Exists(file) ? Lines(file).Count : 0;
        while (!File.Exists(file) || Lines(file).Count < before + acknowledgements)
        {
            Assert.False(process.HasExited, process.HasExited ? await said : "");
            await Task.Delay(5, Cancel);
        }

        process.Kill();
        await process.WaitForExitAsync(Cancel);
    }

    /// <summary>Whole lines: the last may have been cut short.</summary>
    private static List<string> Lines(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var text = new StreamReader(stream).ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static async Task RecoverAsync(byte[] segment, string[] expected)
    {
        await using var place = new JournalPlace();
        Directory.CreateDirectory(place.Folder);
        await File.WriteAllBytesAsync(Path.Combine(place.Folder, "journal-000007.log"), segment, Cancel);
        await using (var writer = await place.OpenAsync())
        {
            await writer.CommitAsync(Records.Usage(new Dice(1), "after"));
            await writer.FlushAsync(Cancel);
        }

        Assert.Equal(expected.Append("after").Order(StringComparer.Ordinal), await place.IdsAsync());
        Assert.Empty(place.Segments);
        var cut = segment.Length - (expected.Length == 0 ? 0 : Ends(segment).Last());
        Assert.Equal(place.Warnings.Count, place.Damaged.Length);
        if (place.Damaged is [var damaged])
            Assert.Equal(segment[^(int)new FileInfo(damaged).Length..], await File.ReadAllBytesAsync(damaged, Cancel));
        else
            Assert.True(cut == 0 || segment.Length == Segment.Magic.Length, $"{cut} bytes are gone");
    }

    private static async Task FlipAsync(Dice dice)
    {
        await using var place = new JournalPlace();
        var records = dice.Many(30, 30, () => Records.Usage(dice));
        await place.LeaveAsync(records, segmentBytes: 2000);
        var file = place.Segments[dice.Whole(0, place.Segments.Length - 1)];
        var bytes = await File.ReadAllBytesAsync(file, Cancel);
        var at = dice.Whole(Segment.Magic.Length, bytes.Length - 1);
        bytes[at] ^= (byte)(1 << dice.Whole(0, 7));
        await File.WriteAllBytesAsync(file, bytes, Cancel);
        await using (var writer = await place.OpenAsync())
            await writer.FlushAsync(Cancel);

        var known = records.ToDictionary(record => record.Id);
        var stored = await place.UsageAsync();
        Assert.All(stored, record => Assert.Equal(known[record.Id], record));
        var lost = records.Count - stored.Count;
        Assert.True(lost >= 1, "a flipped byte went unseen");
        Assert.Single(place.Warnings);
        var kept = await File.ReadAllBytesAsync(Assert.Single(place.Damaged), Cancel);
        Assert.True(bytes.AsSpan().EndsWith(kept) && at >= bytes.Length - kept.Length, "what was cut is not what was kept");
        Assert.True(lost <= 1 + (kept.Length / 100), $"{lost} records are gone with {kept.Length} bytes");
    }

    /// <summary>Where the frames of a segment end.</summary>
    private static List<int> Ends(ReadOnlySpan<byte> segment)
    {
        List<int> ends = [];
        for (int at = Segment.Magic.Length, frame; at < segment.Length && (frame = Frame.Read(segment[at..], out _)) > 0; ends.Add(at))
            at += frame;
        return ends;
    }
}
