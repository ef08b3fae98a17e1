"""Ratios for people: medians over rounds that took turns, beside the goal."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

Rounds = Sequence[Sequence[float]]


def percentile(samples: Sequence[float], of: int) -> float:
    """Return the percentile (1 to 99) of the samples."""
    return quantiles(samples, n=100, method="inclusive")[of - 1]


def compare(what: str, *, ours: Rounds, peer: Rounds, peer_name: str, goals: Mapping[int, float]) -> None:
    """Print percentiles in ms and the ratio: the median of the rounds' own ratios. `goals`: ratio by percentile."""
    print(f"{what}, {sum(map(len, ours))} samples each in {len(ours)} rounds, {machine()}")
    for of, goal in goals.items():
        mine, theirs = ([percentile(samples, of) for samples in rounds] for rounds in (ours, peer))
        ratio = median(a / b for a, b in zip(mine, theirs, strict=True))
        verdict = "met" if ratio <= goal else "MISSED"
        figures = f"ours {median(mine) * 1000:.2f} ms, {peer_name} {median(theirs) * 1000:.2f} ms"
        print(f"  p{of}: {figures}, ratio {ratio:.2f} (goal {goal:.2f}: {verdict})")


def times(what: str, samples: Sequence[float], *, goals: Mapping[int, float]) -> None:
    """Print the median and other percentiles in ms beside their goals. `goals`: seconds by percentile."""
    print(f"{what}, {len(samples)} samples, {machine()}: median {median(samples) * 1000:.0f} ms")
    for of, goal in goals.items():
        found = percentile(samples, of)
        print(f"  p{of}: {found * 1000:.0f} ms (goal {goal * 1000:.0f} ms: {'met' if found <= goal else 'MISSED'})")


def ratio(what: str, *, ours: Sequence[float], peer: Sequence[float], peer_name: str, goal: float) -> None:
    """Print two medians in seconds and the median of the ratios of runs that took turns."""
    found = median(a / b for a, b in zip(ours, peer, strict=True))
    verdict = "met" if found <= goal else "MISSED"
    figures = f"ours {median(ours):.2f} s, {peer_name} {median(peer):.2f} s"
    print(f"{what}, {len(ours)} runs each, {machine()}: {figures}, ratio {found:.2f} (goal {goal:.2f}: {verdict})")


def machine() -> str:
    """Return what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{sum(line.startswith('processor') for line in lines)} × {model}, Python {platform.python_version()}"
