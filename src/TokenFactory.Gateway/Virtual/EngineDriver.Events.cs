using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <content>What happens to requests at the engine, and what is seen of their tokens.</content>
internal sealed partial class EngineDriver
{
    private void Deliver(Choice choice, Instant at)
    {
        if (choice.End != ChoiceEnd.None)
            return;
        choice.Delivered = true;
        _engine.Submit(choice.Leg, at);
    }

    private void Step(Instant at)
    {
        _engine.Advance(at, _told);
        foreach (var told in _told)
            Hear(((Choice[])told.Request.Tag!)[0], told.Kind, at);
        _told.Clear();
        if (_tokenStreams > 0)
            _lookAt = Instant.Earlier(_lookAt, Later(at, SoonestLook));
    }

    private void Hear(Choice choice, EngineEventKind kind, Instant at)
    {
        switch (kind)
        {
            case EngineEventKind.FirstToken:
                choice.FirstToken = at;
                choice.Tokens = Math.Max(1, choice.Tokens);
                Counts.FirstToken(choice, at);
                _tokenStreams += choice.Job.Streams ? 1 : 0;
                if (choice.Job.Streams)
                    Mark(choice.Job);
                break;
            case EngineEventKind.Finished:
                End(choice, ChoiceEnd.Finished, at);
                break;
            case EngineEventKind.Refused:
                End(choice, ChoiceEnd.Refused, at);
                break;
            case EngineEventKind.Cancelled:
                End(choice, ChoiceEnd.Cancelled, at);
                break;
            case EngineEventKind.Preempted:
                Counts.Preemptions++;
                break;
            default:
                break; // pools that hand prompts over are not served here
        }
    }

    private void End(Choice choice, ChoiceEnd how, Instant at)
    {
        choice.Tokens = choice.Leg.Generated;
        (choice.EndedAt, choice.End) = (at, how);
        Counts.End(choice, at);
        var job = choice.Job;
        _tokenStreams -= job.Streams && choice.FirstToken is not null ? 1 : 0;
        if (--job.Open == 0 && job.Place >= 0)
        {
            var last = _streams[^1];
            (_streams[job.Place], last.Place) = (last, job.Place);
            _streams.RemoveAt(_streams.Count - 1);
            job.Place = -1;
        }

        if (job.Streams || job.Open == 0)
            Mark(job);
    }

    /// <summary>Before then nobody looks at tokens: with more streams than writes a second, several tokens leave at once.</summary>
    private Instant SoonestLook => _looked + Duration.OfSeconds((double)_tokenStreams / _writesPerSecond);

    private static Instant Later(Instant a, Instant b) => a > b ? a : b;

    private void LookAtTokens(Instant now)
    {
        (_looked, _lookAt) = (now, Instant.Never);
        var after = now + Duration.Tick; // a step that ends now is over
        foreach (var job in _streams)
        {
            foreach (var choice in job.Choices)
            {
                if (choice.FirstToken is null || choice.End != ChoiceEnd.None)
                    continue;
                var tokens = _engine.GeneratedBy(choice.Leg, after);
                if (tokens <= choice.Tokens)
                    continue;
                choice.Tokens = tokens;
                Mark(job);
            }
        }
    }
}
