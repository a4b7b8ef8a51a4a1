"""Measures what the filter costs requests that are not for it, beside no filter and a WebAssembly filter that does nothing.

All listeners are in one Envoy and served by its one worker, in turns."""

import statistics

import gateway
import load

ROUNDS = 20
CASES = {
    "no filter": lambda ours, empty: [],
    "the filter, switched on by route elsewhere": lambda ours, empty: [ours | {"disabled": True}],
    "the filter on the whole chain": lambda ours, empty: [ours],
    "an empty WebAssembly filter (Rust SDK)": lambda ours, empty: [empty],
}


def main():
    ours = gateway.token_endpoint(gateway.document(**gateway.PACING))
    empty = gateway.wasm_filter("empty", gateway.build_vm("empty_vm"), "")
    listeners = [gateway.public_listener(name, make(ours, empty), [gateway.OTHER_ROUTE]) for name, make in CASES.items()]
    with gateway.Gateway(gateway.bootstrap(*listeners)) as envoy:
        rounds = [measure(envoy) for _ in range(ROUNDS + 1)][1:]
    report(rounds)


def measure(envoy):
    """Requests per second and the worker's microseconds for each, by case."""
    found = {}
    for name in CASES:
        with envoy.watch_worker() as watch:
            result = load.run(envoy.url("/other", name), 1, 16)
        assert list(result.milliseconds) == [200], result.statuses()
        answers = len(result.times())
        found[name] = (answers / watch["wall"], watch["ran"] / answers * 1e6)
    return found


def report(rounds):
    """Differences within a round, since the machine's pace changes between rounds."""
    rows = [["other requests through", "requests/s", "ratio", "added CPU µs", "quartiles"]]
    for name in CASES:
        rate = statistics.median(each[name][0] for each in rounds)
        ratio = statistics.median(each[name][0] / each["no filter"][0] for each in rounds)
        added = sorted(each[name][1] - each["no filter"][1] for each in rounds)
        quartiles = f"{load.percentile(added, 0.25):+.2f} to {load.percentile(added, 0.75):+.2f}"
        rows.append([name, f"{rate:.0f}", f"{ratio:.2f}", f"{statistics.median(added):+.2f}", quartiles])
    gateway.table(*rows)
    print(f"\nMedians of {ROUNDS} alternating rounds; a request through no filter took "
          f"{statistics.median(each['no filter'][1] for each in rounds):.1f} µs of the worker.")


if __name__ == "__main__":
    main()
