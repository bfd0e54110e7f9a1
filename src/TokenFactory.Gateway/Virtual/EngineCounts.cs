using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <summary>What is counted of the requests that were at an engine, under the names that vLLM gives it.</summary>
internal sealed class EngineCounts
{
    /// <summary>Prompt tokens of requests whose prompts are computed, cached ones included.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Of them, those that the prefix cache held.</summary>
    public long CachedTokens { get; private set; }

    /// <summary>How often a request lost its blocks.</summary>
    public long Preemptions { get; set; }

    /// <summary>Requests that ended by themselves.</summary>
    public long Stopped { get; private set; }

    /// <summary>Requests that reached their most tokens.</summary>
    public long Cut { get; private set; }

    /// <summary>Requests whose client left.</summary>
    public long Cancelled { get; private set; }

    /// <summary>Requests that did not fit.</summary>
    public long Refused { get; private set; }

    /// <summary>Times from arrival to the first token.</summary>
    public TimeHistogram FirstTokens { get; } = new();

    /// <summary>Times from arrival to the last token of what was answered in full.</summary>
    public TimeHistogram Whole { get; } = new();

    public void FirstToken(Choice choice, Instant at)
    {
        PromptTokens += choice.Leg.PromptTokens;
        CachedTokens += choice.Leg.CachedTokens;
        FirstTokens.Add(at - choice.Job.Arrived);
    }

    public void End(Choice choice, Instant at)
    {
        switch (choice.End)
        {
            case ChoiceEnd.Finished:
                Whole.Add(at - choice.Job.Arrived);
                if (choice.Text.EndsByItself)
                    Stopped++;
                else
                    Cut++;
                break;
            case ChoiceEnd.Cancelled:
                Cancelled++;
                break;
            default:
                Refused++;
                break;
        }
    }
}
