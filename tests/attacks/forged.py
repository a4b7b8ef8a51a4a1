"""Floods userinfo with forged tokens, each of which takes a signature to be checked, and ends with an error where other requests
notice. Tells what a check costs the worker, too: what a forged token costs more than what is no token at all.

Usage: ENVOY=/path/to/envoy PYTHONPATH=tests/bench python3 tests/attacks/forged.py [--old FILE]    (after `make build`)
"""

import argparse
import base64
import contextlib
import json
import pathlib
import secrets
import statistics
import sys
import time

import gateway
import load
from timing import come_first

FORGED_RATE, OTHER_RATE = 2000, 1000
# So few that a worker can do them whose checks take a millisecond each.
COST_RATE = 300
CONNECTIONS = 50
SECONDS, LEAD = 5, 1
MOST_ADDED = 0.5
NO_TOKEN = "access_token=AAAA"
# The shares of time in which other programs kept the worker from its core: with much of that, no delay here is Envoy's.
KEPT = []


def main():
    options = arguments()
    gateway.set_a_core_apart()
    gateway.keys()
    come_first()
    with contextlib.ExitStack() as stack:
        workers = {name: Worker(stack.enter_context(gateway.Gateway(configuration(code)))) for name, code in filters(options.old)}
        rounds = [{name: worker.check() for name, worker in workers.items()} | workers["this"].delays() for _ in range(options.rounds)]
    found = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    added = found["forged tokens"] - found["nothing"]
    report(found, added, workers, options.rounds)
    sys.exit(added > MOST_ADDED)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", metavar="FILE", type=pathlib.Path, help="another version's filter, to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def filters(old):
    yield "this", gateway.TARGET / "wasm32-wasip1/release/token_endpoint.wasm"
    if old:
        yield "the other", old


def configuration(code):
    filters = [gateway.wasm_filter("token_endpoint", code, gateway.document(**gateway.PACING), disabled=True)]
    userinfo = gateway.route("/oauth2/userinfo", "token_endpoint", status=404)
    return gateway.bootstrap(gateway.public_listener("gateway", filters, [gateway.TOKEN_ROUTE, userinfo, gateway.OTHER_ROUTE]))


class Worker:
    """The one worker of a gateway, and a forged token of its issuer's."""

    def __init__(self, envoy):
        self.envoy = envoy
        status, text = envoy.post(gateway.LOGIN)
        assert status == 200, text
        head, claims, signature = json.loads(text)["access_token"].split(".")
        length = len(base64.urlsafe_b64decode(signature + "=="))
        other = base64.urlsafe_b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        self.forged = f"access_token={head}.{claims}.{other}"
        for form in [self.forged, NO_TOKEN]:
            self.cost(form)  # V8 compiles what runs often

    def check(self):
        """Microseconds of the worker for one signature."""
        nothing, forged, again, nothing_again = map(self.cost, [NO_TOKEN, self.forged, self.forged, NO_TOKEN])
        return (forged + again - nothing - nothing_again) / 2

    def delays(self):
        """The p99 of other requests by what they come beside, in milliseconds."""
        return {"nothing": self.others(None), "what is no token": self.others(NO_TOKEN), "forged tokens": self.others(self.forged)}

    def cost(self, form):
        """Microseconds of the worker for each request."""
        with self.envoy.watch_worker() as watch:
            result = load.run(self.envoy.url("/oauth2/userinfo"), SECONDS / 2, CONNECTIONS, COST_RATE, form)
        assert set(result.statuses()) <= {400, 401}, result.statuses()
        return watch["ran"] / sum(result.statuses().values()) * 1e6

    def others(self, form):
        """The p99 of other requests, beside a flood of these, in milliseconds."""
        flood = form and load.Load(self.envoy.url("/oauth2/userinfo"), SECONDS + 2 * LEAD, CONNECTIONS, FORGED_RATE, form)
        time.sleep(LEAD)
        with self.envoy.watch_worker() as watch:
            result = load.run(self.envoy.url("/other"), SECONDS, CONNECTIONS, OTHER_RATE)
        KEPT.append(watch["kept"] / watch["wall"])
        if form:
            told = flood.result().statuses()
            assert set(told) <= {400, 401, 503} and 200 not in told, told
        return load.percentile(result.times(), 0.99)


def report(found, added, workers, rounds):
    gateway.table(["filter", "a check, µs of the worker"], *([name, f"{found[name]:.0f}"] for name in workers))
    print()
    gateway.table([f"{OTHER_RATE:,} other requests/s beside {FORGED_RATE:,}/s of", "p99 ms"],
                  *([name, f"{p99:.2f}"] for name, p99 in found.items() if name not in workers))
    print(f"\nOne worker, medians of {rounds} rounds; forged tokens add {added:+.2f} ms to the p99, and may add {MOST_ADDED}. "
          f"Other programs kept the worker from its core {statistics.median(KEPT):.1%} of the time.")


if __name__ == "__main__":
    main()
