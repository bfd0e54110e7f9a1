using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using TokenFactory.Gateway.Setup;

namespace TokenFactory.Gateway.Live.Probes;

/// <summary>
/// Looks at one replica, one look after another: (1) whether it serves, (2) when it has just come, whether it takes our key, (3) its load.
/// What it reads is bounded, and so is the time; an engine that answers slowly is asked less often.
/// </summary>
internal sealed class Probe(Uri address, PoolSetup pool, HealthSetup health, HttpMessageInvoker http, TimeProvider time)
{
    /// <summary>
    /// Times as long as its answer takes between looks at the least: metrics cost an engine a part of its one busy thread.
    /// </summary>
    private const double Spare = 20;

    private const int MostBytes = 4 << 20;
    private const int BufferBytes = 16 << 10;

    private readonly EngineMetrics _engine = EngineMetrics.Of(pool.Engine);
    private bool _keyTaken;
    private bool _tellsNoLoad;

    /// <summary>Looks.</summary>
    /// <exception cref="OperationCanceledException">Nobody wants to know any more.</exception>
    public async Task<Look> LookAsync(CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(health.TimeoutSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        var look = await TryAsync(either.Token, cancel).ConfigureAwait(false);
        if (!look.Healthy)
            (_keyTaken, _tellsNoLoad) = (false, false); // what comes back may be another
        return look;
    }

    /// <summary>Time until the next look.</summary>
    public TimeSpan Pause(in Look look) => TimeSpan.FromSeconds(
        Math.Clamp(look.Seconds * Spare, health.EverySeconds, Math.Max(health.EverySeconds, health.MostSeconds)));

    private async Task<Look> TryAsync(CancellationToken either, CancellationToken cancel)
    {
        try
        {
            return await StepsAsync(either).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Look(false, $"no answer within {health.TimeoutSeconds:0.###} s", null, health.TimeoutSeconds);
        }
        catch (HttpRequestException failed)
        {
            return new Look(false, Words(failed), null, 0);
        }
        catch (IOException failed)
        {
            return new Look(false, $"the connection broke: {failed.Message}", null, 0);
        }
    }

    private async Task<Look> StepsAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var status = await StatusAsync(_engine.Health, cancel).ConfigureAwait(false);
        if (IsRefusal(status) || (!_keyTaken && IsRefusal(await StatusAsync("/v1/models", cancel).ConfigureAwait(false))))
            return new Look(false, "its api_key is refused", null, Since(began));
        if ((int)status is < 200 or > 299)
            return new Look(false, $"GET {_engine.Health} answered {(int)status}{Hint(status)}", null, Since(began));
        _keyTaken = true;
        if (_engine.Metrics is null || _tellsNoLoad)
            return new Look(true, "", null, Since(began));
        var load = await LoadAsync(cancel).ConfigureAwait(false);
        _tellsNoLoad = load is null;
        var words = load is null ? $"GET {_engine.Metrics} does not tell its load. {_engine.Remedy}" : "";
        return new Look(true, words, load, Since(began));
    }

    private double Since(long began) => time.GetElapsedTime(began).TotalSeconds;

    private async Task<HttpStatusCode> StatusAsync(string path, CancellationToken cancel)
    {
        using var request = Request(path);
        using var response = await http.SendAsync(request, cancel).ConfigureAwait(false);
        return response.StatusCode;
    }

    /// <summary>Its load; null where it does not tell.</summary>
    private async Task<EngineLoad?> LoadAsync(CancellationToken cancel)
    {
        using var request = Request(_engine.Metrics!);
        using var response = await http.SendAsync(request, cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            return null;
        var scan = new PrometheusScan([.. _engine.Running, .. _engine.Waiting, .. _engine.KvHeld]);
        await ReadAsync(response, scan, cancel).ConfigureAwait(false);
        if (First(_engine.Running, scan.Sum) is not { } running)
            return null;
        double? held = First(_engine.KvHeld, scan.Mean) is { } share ? Math.Clamp(share, 0, 1) : null;
        return new EngineLoad(Count(running), Count(First(_engine.Waiting, scan.Sum) ?? 0), held);
    }

    private static async Task ReadAsync(HttpResponseMessage response, PrometheusScan scan, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                for (var total = 0; total < MostBytes;)
                {
                    var read = await body.ReadAsync(buffer, cancel).ConfigureAwait(false);
                    if (read == 0)
                        break;
                    total += read;
                    scan.Feed(buffer.AsSpan(0, read));
                }

                scan.End();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private HttpRequestMessage Request(string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        if (pool.ApiKey is { } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private static double? First(string[] names, Func<string, double?> of)
    {
        foreach (var name in names)
        {
            if (of(name) is { } value)
                return value;
        }

        return null;
    }

    private static int Count(double value) => (int)Math.Clamp(value, 0, 1_000_000);

    private static bool IsRefusal(HttpStatusCode status) => status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    private string Hint(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => $"; is its engine {pool.Engine}?",
        HttpStatusCode.ServiceUnavailable => ": it is loading or out of order",
        _ => "",
    };

    private static string Words(HttpRequestException failed) => failed.HttpRequestError switch
    {
        HttpRequestError.ConnectionError => "the connection was refused",
        HttpRequestError.NameResolutionError => "its host name is not known",
        HttpRequestError.SecureConnectionError => "TLS could not be agreed on",
        HttpRequestError.InvalidResponse => "its answer is no HTTP",
        _ => $"it cannot be asked: {failed.Message}",
    };
}
