"""Measures how long Envoy takes to start with many inline users, and what memory each worker takes."""

import json
import statistics

import gateway

USERS = [1, 1_000, 100_000]
ROUNDS = 3
FORMS = {"Struct": lambda document: document, "JSON text": json.dumps}


def main():
    empty = gateway.build_vm("empty_vm")
    found = {}
    for _ in range(ROUNDS):
        found.setdefault("no filter", []).append(measure(gateway.OTHER_ROUTE))
        found.setdefault("an empty one", []).append(measure(gateway.OTHER_ROUTE, gateway.wasm_filter("empty", empty, "")))
        for users in USERS:
            for form, convert in FORMS.items():
                configuration = convert(gateway.document(users, **gateway.PACING))
                ours = gateway.token_endpoint(configuration, disabled=True)
                found.setdefault(f"ours, {users:,} users as {form}", []).append(measure(gateway.TOKEN_ROUTE, ours))
    report(found)


def measure(route, *filters):
    """Seconds until Envoy serves, MiB for each worker beyond the first, and MiB that the first logins take for good."""
    configuration = gateway.bootstrap(gateway.public_listener("gateway", filters, [route]))
    with gateway.Gateway(configuration, concurrency=3) as envoy:
        three = envoy.resident_mib()
    with gateway.Gateway(configuration) as envoy:
        seconds, one = envoy.startup_seconds, envoy.resident_mib()
        for _ in range(3 if route is gateway.TOKEN_ROUTE else 0):
            status, text = envoy.post(gateway.LOGIN)
            assert status == 200, text
        return seconds, (three - one) / 2, envoy.resident_mib() - one


def report(found):
    rows = [["filter", "start s", "ratio to an empty one", "MiB for each further worker", "MiB more after a worker's first logins"]]
    base = medians(found["an empty one"])[0]
    for name, rounds in found.items():
        seconds, memory, logins = medians(rounds)
        rows.append([name, f"{seconds:.2f}", f"{seconds / base:.1f}", f"{memory:.1f}", f"{logins:.1f}"])
    gateway.table(*rows)
    print(f"\nMedians of {ROUNDS} rounds; one worker, and the main thread's VM, which Envoy makes as well.")


def medians(rounds):
    return [statistics.median(column) for column in zip(*rounds)]


if __name__ == "__main__":
    main()
