"""Measures what logins do to the other requests of their worker: for checks in one go, paced by the timer, and paced by
the pacing cluster, and how long a login takes then. `--plot FILE` draws the distribution."""

import argparse
import contextlib
import statistics

import gateway
import load

MODES = {"in one go": gateway.SYNCHRONOUS, "timer": gateway.TICK, "pacing cluster": gateway.PACING}
LOADS = {"50 %": 0.5, "200 %": 2.0}
RATE = 1000
SECONDS = 6
LEAD = 2
ROUNDS = 3
# Logins alone: short bursts by turns, since a shared machine is now and then slower by half for some seconds.
BURSTS = 40
BURST_SECONDS = 0.5
# The shares of time in which other programs kept the worker from its core: with much of that, no delay here is Envoy's.
KEPT = []


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--plot", metavar="FILE")
    plot_file = arguments.parse_args().plot
    gateway.set_a_core_apart()
    with contextlib.ExitStack() as stack:
        envoys = {mode: stack.enter_context(gateway.Gateway(gateway.logins(**how))) for mode, how in MODES.items()}
        capacity = measure_capacity(envoys)
        alone = measure_logins_alone(envoys)
        rounds = [measure(envoys, capacity) for _ in range(ROUNDS)]
    report(rounds, capacity, alone)
    if plot_file:
        plot(rounds, plot_file)


def measure_capacity(envoys):
    """Logins per second of one worker, after every gateway has been warmed up."""
    for envoy in envoys.values():
        saturate(envoy, 3)
    return saturate(envoys["pacing cluster"], 5)


def saturate(envoy, seconds):
    """Logins per second that the worker has its core: on a shared machine 200 % is to be more than it can ever do."""
    with envoy.watch_worker() as watch:
        rate = load.run(envoy.url("/oauth2/token"), seconds, 8, form=gateway.LOGIN).per_second()
    return rate * watch["wall"] / watch["had"]


def measure_logins_alone(envoys):
    """Milliseconds of logins that come one at a time and have the worker for themselves."""
    times = {mode: [] for mode in MODES}
    for _ in range(BURSTS):
        for mode, envoy in envoys.items():
            times[mode] += load.run(envoy.url("/oauth2/token"), BURST_SECONDS, 1, form=gateway.LOGIN).times()
    return {mode: load.percentile(each, 0.5) for mode, each in times.items()}


def measure(envoys, capacity):
    """One round: by mode and load, what other requests and logins took."""
    found = {("-", "none"): (other_requests(envoys["pacing cluster"]), None)}
    for level, share in LOADS.items():
        for mode, envoy in envoys.items():
            logins = load.Load(envoy.url("/oauth2/token"), LEAD + SECONDS + 1, 200, capacity * share, gateway.LOGIN)
            load.run(envoy.url("/other"), LEAD, 50, RATE)
            found[mode, level] = other_requests(envoy), logins.result()
    return found


def other_requests(envoy):
    with envoy.watch_worker() as watch:
        result = load.run(envoy.url("/other"), SECONDS, 50, RATE)
    KEPT.append(watch["kept"] / watch["wall"])
    assert list(result.milliseconds) == [200], result.statuses()
    return result.times()


def report(rounds, capacity, alone):
    rows = [["checks", "logins offered", "other requests: p50 ms", "p99", "p99 added", "max", "logins/s", "login p50 ms"]]
    idle = of_rounds(rounds, ("-", "none"), 0.99)
    for key in rounds[0]:
        p99 = of_rounds(rounds, key, 0.99)
        most = max(max(each[key][0]) for each in rounds)
        cells = [f"{of_rounds(rounds, key, 0.5):.2f}", f"{p99:.2f}", f"{p99 - idle:+.2f}", f"{most:.1f}"]
        rows.append([*key, *cells, *login_cells([each[key][1] for each in rounds])])
    gateway.table(*rows)
    print(f"\nOne worker, {RATE} other requests/s at a constant rate, medians of {ROUNDS} rounds; 100 % is {capacity:.1f} logins/s. "
          f"Other programs kept the worker from its core {statistics.median(KEPT):.1%} of the time.\n")
    best = alone["in one go"]
    rows = [[mode, f"{median:.1f}", f"**{median / best:.2f}**"] for mode, median in alone.items()]
    gateway.table(["a login alone on its worker", "p50 ms", "ratio"], *rows)


def of_rounds(rounds, key, share):
    return statistics.median(load.percentile(each[key][0], share) for each in rounds)


def login_cells(results):
    if results[0] is None:
        return ["0", "-"]
    rate = statistics.median(result.per_second() for result in results)
    return [f"{rate:.1f}", f"{statistics.median(load.percentile(result.times(), 0.5) for result in results):.0f}"]


def plot(rounds, file):
    """Delays by how rare they are, both on a logarithmic scale."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9}
    from matplotlib import pyplot

    colours = {"-": "black", "in one go": "tab:red", "timer": "tab:orange", "pacing cluster": "tab:blue"}
    rarities = [10 ** (-step / 8) for step in range(1, 29)]
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    for mode, level in rounds[0]:
        times = [time for each in rounds for time in each[mode, level][0]]
        label = "no logins" if level == "none" else f"{mode}, logins at {level}"
        delays = [load.percentile(times, 1 - rarity) for rarity in rarities]
        axes.plot([1 / rarity for rarity in rarities], delays, ":" if level == "50 %" else "-", color=colours[mode], label=label)
    axes.set(xscale="log", yscale="log", ylabel="other requests: ms", xticks=[10, 100, 1000])
    axes.set_xticklabels(["90 %", "99 %", "99.9 %"])
    axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()
