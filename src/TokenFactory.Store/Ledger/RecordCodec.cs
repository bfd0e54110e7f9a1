using TokenFactory.Store.Sql;
using TokenFactory.Units;

namespace TokenFactory.Store.Ledger;

/// <summary>
/// Records as payloads. The first byte says of what kind, and in which version of its form; a form that was shipped never changes.
/// </summary>
internal static class RecordCodec
{
    private const byte UsageForm = 1;
    private const byte MeterForm = 2;

    public static void Write(FrameWriter to, UsageRecord record)
    {
        to.Begin();
        to.Byte(UsageForm);
        to.Text(record.Id);
        to.Text(record.Tenant);
        to.Text(record.Key);
        to.Text(record.Model);
        to.Text(record.Pool);
        to.Text(record.Replica);
        to.Text(record.Class);
        to.Text(record.Endpoint);
        to.Byte((byte)record.Outcome);
        to.Text(record.Error);
        to.Whole(record.Arrival.Nanoseconds);
        to.Signed((record.Dispatched - record.Arrival).Nanoseconds);
        to.Byte(record.FirstToken is null ? (byte)0 : (byte)1);
        if (record.FirstToken is { } first)
            to.Signed((first - record.Arrival).Nanoseconds);
        to.Signed((record.Ended - record.Arrival).Nanoseconds);
        to.Count(record.Attempts);
        to.Count(record.Tokens.Fresh);
        to.Count(record.Tokens.Cached);
        to.Count(record.Tokens.Output);
        to.Count(record.Tokens.Reasoning);
        to.Byte((byte)record.TokensFrom);
        to.Count(Money.Nanos(record.Charged));
        to.Count(Money.Nanos(record.UsageCost));
        to.Count(Money.Nanos(record.AllocationCost));
        to.Real(record.Joules);
        to.Text(record.JoulesAt);
        to.Text(record.JoulesFrom);
        to.End();
    }

    public static void Write(FrameWriter to, MeterRecord meter)
    {
        to.Begin();
        to.Byte(MeterForm);
        to.Text(meter.Replica);
        to.Text(meter.Pool);
        to.Text(meter.Model);
        to.Whole(meter.From.Nanoseconds);
        to.Signed((meter.To - meter.From).Nanoseconds);
        to.Real(meter.BusySeconds);
        to.Count(Money.Nanos(meter.Paid));
        to.Count(Money.Nanos(meter.Idle));
        to.Real(meter.Joules);
        to.Real(meter.IdleJoules);
        to.Text(meter.JoulesAt);
        to.Text(meter.JoulesFrom);
        to.End();
    }

    /// <summary>Reads a record and adds it to those of its kind; false where it is of a form that this program does not know.</summary>
    public static bool Read(ReadOnlySpan<byte> payload, Names names, RecordBatch into)
    {
        var from = new PayloadReader(payload, names);
        try
        {
            switch (from.Byte())
            {
                case UsageForm:
                    into.Usage.Add(Usage(ref from));
                    return true;
                case MeterForm:
                    into.Meters.Add(Meter(ref from));
                    return true;
                default:
                    return false;
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static UsageRecord Usage(ref PayloadReader from)
    {
        var (id, tenant, key, model) = (from.Text(), from.Name(), from.Name(), from.Name());
        var (pool, replica, name, endpoint) = (from.Name(), from.Name(), from.Name(), from.Name());
        var (outcome, error) = ((Outcome)from.Byte(), from.Name());
        var arrival = new Instant(from.Whole());
        var dispatched = new Instant(arrival.Nanoseconds + from.Signed());
        Instant? first = from.Byte() == 0 ? null : new Instant(arrival.Nanoseconds + from.Signed());
        return new UsageRecord
        {
            Id = id,
            Tenant = tenant,
            Key = key,
            Model = model,
            Pool = pool,
            Replica = replica,
            Class = name,
            Endpoint = endpoint,
            Outcome = outcome,
            Error = error,
            Arrival = arrival,
            Dispatched = dispatched,
            FirstToken = first,
            Ended = new Instant(arrival.Nanoseconds + from.Signed()),
            Attempts = (int)from.Count(),
            Tokens = new TokenCounts(from.Count(), from.Count(), from.Count(), from.Count()),
            TokensFrom = (TokensFrom)from.Byte(),
            Charged = Money.Dollars(from.Count()),
            UsageCost = Money.Dollars(from.Count()),
            AllocationCost = Money.Dollars(from.Count()),
            Joules = from.Real(),
            JoulesAt = from.Name(),
            JoulesFrom = from.Name(),
        };
    }

    private static MeterRecord Meter(ref PayloadReader from)
    {
        var (replica, pool, model, begin) = (from.Name(), from.Name(), from.Name(), new Instant(from.Whole()));
        return new MeterRecord
        {
            Replica = replica,
            Pool = pool,
            Model = model,
            From = begin,
            To = new Instant(begin.Nanoseconds + from.Signed()),
            BusySeconds = from.Real(),
            Paid = Money.Dollars(from.Count()),
            Idle = Money.Dollars(from.Count()),
            Joules = from.Real(),
            IdleJoules = from.Real(),
            JoulesAt = from.Name(),
            JoulesFrom = from.Name(),
        };
    }
}

/// <summary>Records on their way into the store.</summary>
internal sealed class RecordBatch
{
    public List<UsageRecord> Usage { get; } = [];

    public List<MeterRecord> Meters { get; } = [];

    public int Count => Usage.Count + Meters.Count;

    public void Clear()
    {
        Usage.Clear();
        Meters.Clear();
    }
}
