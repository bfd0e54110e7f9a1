#!/usr/bin/env python3
"""The highest rate at which a scenario keeps its promises to a share of the requests, seed by seed: bisection over simulate.

    bench/goodput.py SCENARIO.yaml [--kept 0.95] [--seeds 3] [--from 0.1] [--to 100] [--tool ./tokenfactory] [KEY=VALUE...]

The rate is workload.streams.0.requests_per_second. One line: rates, mean, sample deviation, and dollars per million output tokens there.
"""
import argparse, json, statistics, subprocess

RATE = "workload.streams.0.requests_per_second"

asked = argparse.ArgumentParser()
asked.add_argument("scenario")
asked.add_argument("--kept", type=float, default=0.95)
asked.add_argument("--seeds", type=int, default=3)
asked.add_argument("--from", dest="low", type=float, default=0.1)
asked.add_argument("--to", dest="high", type=float, default=100)
asked.add_argument("--tool", default="./tokenfactory")
asked.add_argument("changes", nargs="*")
asked = asked.parse_args()


def run(rate, seed):
    sets = [word for change in [*asked.changes, f"{RATE}={rate}"] for word in ("--set", change)]
    done = subprocess.run(
        [asked.tool, "simulate", "--compare", asked.scenario, "--seeds", "1", "--seed", str(seed), "--json", *sets],
        capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(done.stderr)
    figures = {row["figure"]: row["mean"] for row in json.loads(done.stdout)["comparison"]}
    return figures["kept_share"], figures["usd_per_million_output_tokens_allocation"]


rates, dollars = [], []
for seed in range(1, asked.seeds + 1):
    low, high, usd = asked.low, asked.high, float("nan")
    while high / low > 1.02:
        rate = (low * high) ** 0.5
        kept, at = run(rate, seed)
        if kept >= asked.kept:
            low, usd = rate, at
        else:
            high = rate
    rates.append(low)
    dollars.append(usd)
spread = lambda figures: statistics.stdev(figures) if len(figures) > 1 and all(one == one for one in figures) else float("nan")
print(f"{asked.scenario} {' '.join(asked.changes)}: {statistics.mean(rates):.3g} ± {spread(rates):.2g} requests/s, "
      f"${statistics.mean(dollars):.3g} ± {spread(dollars):.2g} per million output tokens")
