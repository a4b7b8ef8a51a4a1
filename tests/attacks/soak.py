"""Lets one worker do four fifths of what it can for half an hour, while its configuration changes every minute, and ends
with an error where memory grows, or where any answer is not as it has to be.

Usage: ENVOY=/path/to/envoy PYTHONPATH=tests/bench python3 tests/attacks/soak.py --minutes 30    (after `make build`)
"""

import argparse
import collections
import json
import statistics
import sys
import threading
import time

import gateway
from traffic import Traffic

BUSY = 0.8
FIRST_RATE = 120
SAMPLE_SECONDS = 10
MOST_GROWTH = 1.1
# Of right logins: the rest may be told that there are too many.
LEAST_SERVED = 0.8

QUICK_HASH = "$2b$04$P.JthMnk/lBYQxycXxzC.OKOh0cwowaj1CsezG/ikDlb1UPjfPIMC"
# Drained listeners are gone before the next change comes.
ENVOY_OPTIONS = ["--drain-time-s", "20"]


def main():
    minutes = arguments().minutes
    gateway.set_a_core_apart()
    with gateway.Gateway(bootstrap(), files=files(0), options=ENVOY_OPTIONS) as envoy:
        traffic = Traffic(envoy, FIRST_RATE)
        soak = Soak(envoy, traffic)
        with traffic:
            soak.run(minutes * 60)
        claims = soak.claims(minutes)
        log = (envoy.state / "log").read_text()
    claims.append(["the filter never panics", "-", "panic" not in log and "Function: " not in log])
    report(traffic, claims)
    sys.exit(not all(holds for _, _, holds in claims))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="15 or more: memory is full after some three of them")
    return parser.parse_args()


# --- The run ---


class Soak:
    """What is done beside the traffic: changes of the configuration, and samples."""

    def __init__(self, envoy, traffic):
        self.envoy, self.traffic = envoy, traffic
        self.samples = []
        self.changes, self.seen = 0, 0

    def run(self, seconds):
        end = time.monotonic() + seconds
        changing = threading.Thread(target=self.change_every_minute, args=(end,), daemon=True)
        changing.start()
        while time.monotonic() < end:
            self.sample()
        changing.join()

    def sample(self):
        """Adapts the rate, too: other programs take from what the worker can do."""
        with self.envoy.watch_worker() as watch:
            time.sleep(SAMPLE_SECONDS)
        busy = watch["ran"] / watch["had"]
        memory = json.loads(self.envoy.admin("/memory"))
        sample = Sample(busy, self.traffic.rate, int(memory["allocated"]) / 2**20, self.envoy.resident_mib())
        self.samples.append(sample)
        print(f"{len(self.samples) * SAMPLE_SECONDS} s: {sample}", file=sys.stderr, flush=True)
        self.traffic.rate *= min(1.5, max(0.5, BUSY / busy))

    def change_every_minute(self, end):
        """The filter's configuration and then the listener; each has come into force when the next one comes."""
        while time.monotonic() + 60 < end:
            time.sleep(30)
            self.changes += 1
            for name, content in files(self.changes).items():
                self.envoy.replace(name, content)
                time.sleep(15)
            self.seen += self.traffic.lifetime == lifetime(self.changes) and self.envoy.get(change_path(self.changes)) == "hello\n"

    def claims(self, minutes):
        served, logins = self.traffic.answers["login", 200], self.traffic.count("login")
        busy = statistics.fmean(sample.busy for sample in self.samples[len(self.samples) // 4:])
        return [
            self.growth("allocated"),
            self.growth("resident"),
            [f"for {minutes:g} minutes the worker does {BUSY:.0%} of what it can", f"{busy:.0%}", abs(busy - BUSY) < 0.15],
            ["every answer is as it has to be", f"{len(self.traffic.wrong)} are not", not self.traffic.wrong],
            [f"{LEAST_SERVED:.0%} of right logins are served", f"{served / logins:.1%} of {logins:,}",
             served >= LEAST_SERVED * logins],
            ["every change comes into force", f"{self.seen} of {self.changes}", self.seen == self.changes],
        ]

    def growth(self, kind):
        before, after = getattr(self.around(1 / 4), kind), getattr(self.around(1), kind)
        claim = f"{kind} after a quarter and at the end, MiB: grows by {MOST_GROWTH - 1:.0%} at most"
        return [claim, f"{before:.1f} → {after:.1f}", after <= MOST_GROWTH * before]

    def around(self, part):
        """The median of the samples of a minute, up to this part of the run."""
        at = max(1, round(len(self.samples) * part))
        return Sample(*map(statistics.median, zip(*self.samples[max(0, at - 60 // SAMPLE_SECONDS):at])))


class Sample(collections.namedtuple("Sample", ["busy", "rate", "allocated", "resident"])):
    """Memory in MiB: what Envoy has allocated, and what the kernel counts, with V8's."""

    def __str__(self):
        return f"{self.busy:.0%} busy by {self.rate:.0f}/s, {self.allocated:.1f} MiB allocated, {self.resident:.1f} resident"


def report(traffic, claims):
    gateway.table(["claim", "measured", "holds"], *([*claim, "yes" if holds else "**no**"] for *claim, holds in claims))
    print()
    answers = sorted(traffic.answers.items(), key=str)
    gateway.table(["request", "answer", "how often"], *([kind, status, f"{count:,}"] for (kind, status), count in answers))
    for wrong in traffic.wrong[:10]:
        print(wrong)


# --- The gateway ---


def bootstrap():
    """Listeners and filter come from files, which can change."""
    whole = gateway.bootstrap()
    whole["node"] = {"id": "soak", "cluster": "soak"}
    whole["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": "./listeners.json"}}}
    return whole


def files(change):
    kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
    extension = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    return {
        "filter.json": {"resources": [{"@type": extension} | gateway.token_endpoint(document(change))]},
        "listeners.json": {"resources": [{"@type": kind} | listener(change)]},
    }


def listener(change):
    type_url = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    discovery = {"config_source": {"path_config_source": {"path": "./filter.json"}}, "type_urls": [type_url]}
    filters = [{"name": "token_endpoint", "disabled": True, "config_discovery": discovery}]
    paths = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"]
    routes = [gateway.route(path, "token_endpoint", status=404) for path in paths]
    return gateway.public_listener("gateway", filters, [*routes, gateway.route(change_path(change))])


def change_path(change):
    return f"/change-{change}"


def document(change):
    document = gateway.document(users=20, **gateway.PACING)
    document |= {"allow_weak_hashes": True, "lifetimes": {"access_token": f"{lifetime(change)}s"}}
    quick = [quick_user(f"{kind}{number}") for kind in ["quick", "guessed"] for number in range(500)]
    document["auth_sources"][0]["users"] += quick
    return document


def lifetime(change):
    return 600 + change


def quick_user(name):
    return {"id": name, "identifiers": {"username": name}, "password_hash": QUICK_HASH}


if __name__ == "__main__":
    main()
