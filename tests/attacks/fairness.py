"""Sees that whom a full queue turns away doesn't depend on whom they log in as: users with cheap hashes, users with dear ones,
and names that nobody has are told 503 as often as each other, while others keep the queue near `max_wait`. Ends with an error
where they are not.

Usage: ENVOY=/path/to/envoy PYTHONPATH=tests/bench python3 tests/attacks/fairness.py    (after `make build`)
"""

import argparse
import collections
import itertools
import random
import sys
import threading
import time
import urllib.parse

import gateway
from callers import Callers
from people import CHEAP, client, pbkdf2, person, source

# Of what it takes the worker to check a name, for one name to the next.
COSTS = {"cheap": CHEAP, "dear": 16 * CHEAP}
CROWDS_COST = 5 * CHEAP
USERS = 100
KINDS = [*COSTS, "unknown"]
CALLERS = 12
CROWD = 60
# Shares of 503.
LEAST, MOST, GAP = 0.2, 0.8, 0.1


def main():
    tries = arguments().tries
    gateway.set_a_core_apart()
    with gateway.Gateway(configuration()) as envoy, Crowd(envoy) as crowd:
        crowd.settle()
        answers = probe(envoy, crowd, tries)
    sys.exit(not report(answers, tries))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=600, help="logins of each kind")
    return parser.parse_args()


def configuration():
    free = {limit: {"failures": 1_000_000} for limit in ["identifier", "user", "friend", "address", "client"]}
    checks = gateway.PACING | {"max_wait": "0.5s"}
    document = gateway.document(**checks) | {"allow_weak_hashes": True, "attempt_limits": free}
    people = [person(f"{kind}{number}", pbkdf2(cost)) for kind, cost in COSTS.items() for number in range(USERS)]
    document["auth_sources"] = [source("people", people), source("crowd", [person("crowd", pbkdf2(CROWDS_COST))])]
    document["clients"] = [client("web", ["people", "crowd"])]
    return gateway.bootstrap(gateway.public_listener("gateway", [gateway.token_endpoint(document, disabled=True)], [gateway.TOKEN_ROUTE]))


def guess(envoy, auth_source, name):
    """The status that a login with a wrong password is told."""
    form = {"client_id": "web", "client_secret": "RIGHT", "grant_type": "password", "auth_source_id": auth_source,
            "username": name, "password": "WRONG"}
    return envoy.post(urllib.parse.urlencode(form))[0]


class Crowd(Callers):
    """Callers who keep the queue near its bound: more of them where too few are turned away, and fewer where too many are."""

    def __init__(self, envoy):
        super().__init__(CROWD)
        self.envoy, self.pause = envoy, 0.3

    def call(self):
        while not self.over:
            time.sleep(random.expovariate(1 / self.pause))
            self.heed(guess(self.envoy, "crowd", "crowd"))

    def heed(self, status):
        """Half of all are to be turned away."""
        self.pause *= 1.01 if status == 503 else 1 / 1.01

    def settle(self):
        time.sleep(10)


def probe(envoy, crowd, tries):
    """How often each kind was told what."""
    answers = collections.Counter()
    turns, lock = itertools.count(), threading.Lock()

    def call():
        while next(turns) < tries:
            for kind in random.sample(KINDS, len(KINDS)):
                time.sleep(random.expovariate(1 / 0.2))
                status = guess(envoy, "people", f"{kind}{random.randrange(USERS)}")
                with lock:
                    answers[kind, status] += 1

    callers = [threading.Thread(target=call, daemon=True) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return answers


def report(answers, tries):
    """Whether all holds."""
    shares = {kind: answers[kind, 503] / tries for kind in KINDS}
    gateway.table(["logins as", "400", "503", "share of 503"],
                  *([kind, answers[kind, 400], answers[kind, 503], f"{share:.2f}"] for kind, share in shares.items()))
    gap = max(shares.values()) - min(shares.values())
    is_near = all(LEAST <= share <= MOST for share in shares.values())
    is_answered = all(answers[kind, 400] + answers[kind, 503] == tries for kind in KINDS)
    print(f"\nThe shares differ by {gap:.2f}: {'as chance has it' if gap < GAP else '**more than chance has it**'}.")
    if not is_near:
        print("**The queue was not near its bound.**")
    return gap < GAP and is_near and is_answered


if __name__ == "__main__":
    main()
