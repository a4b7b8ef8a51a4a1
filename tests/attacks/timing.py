"""Tries to tell by time, through a real Envoy, what no caller may learn: which users and which clients there are.

Requests that have to look alike take turns, in an order that chance makes, so that what else the machine does hits all of
them. Ends with an error where two differ by more than chance (Welch's t, or that of the differences within turns, each
without the slowest tenth, which is noise) and by more than a caller could see.

Usage: ENVOY=/path/to/envoy PYTHONPATH=tests/bench python3 tests/attacks/timing.py    (after `make build`)
"""

import argparse
import collections
import gc
import itertools
import math
import os
import random
import socket
import sys
import time
import urllib.parse

import gateway
from differences import LEGEND, Classes, Pair, pairs, verdict
from people import COSTS, DEARER, USERS, WEB, configuration, crowd, directory, names

# To notice a difference of a fiftieth.
ENOUGH = 10_000

CONNECTIONS = 20
REST = 0.1
HEAD = (
    "POST /oauth2/token HTTP/1.1\r\nhost: a\r\n"
    "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n"
)
BY_WEB = {"client_id": WEB[0], "client_secret": "RIGHT"}


def main():
    options = arguments()
    gateway.set_a_core_apart()
    gateway.keys()
    come_first()
    gc.disable()
    random.seed(options.seed)
    with directory() as port, gateway.Gateway(configuration(port, options)) as envoy:
        found = list(measure(Caller(envoy), options))
    report(found)
    noticed = [row for row in found if row.is_told()]
    sys.exit(len(noticed) < len(found) if options.broken else bool(noticed))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000, help="requests of each kind, where a hash takes 1 ms")
    parser.add_argument("--dear-samples", type=int, default=2_000, help="requests of each kind, at OWASP's cost")
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--broken", action="store_true", help="compares what differs: an error unless it is noticed")
    return parser.parse_args()


def come_first():
    """Before what else the machine does. There are rests between requests, as the kernel wants from those who come first."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("no real-time priority here: the machine's other work is in all times")


# --- What is compared ---


def measure(caller, options):
    if options.broken:
        yield from broken(caller, options)
        return
    for source, samples in [("cheap", options.samples), ("lookup", options.samples), ("dear", options.dear_samples)]:
        yield from pairs(f"`{source}`", caller.times(logins(source), samples))
    yield from mixed(caller, options.samples)
    yield from pairs("secrets", caller.times(secrets(), options.samples))


def logins(source):
    """Wrong passwords of users who are there, who are not, and who are locked."""
    return {kind: Guesses(source, names(kind)) for kind in ["wrong", "unknown", "locked"]}


def mixed(caller, samples):
    """Names that nobody has cost as users do: each always the same, and all of them together as all users. None comes twice."""
    kinds = {kind: Guesses("mixed", names(kind, crowd(samples))) for kind in ["wrong", "unknown"]}
    times = caller.times(kinds, samples)
    yield from pairs("`mixed`", times)
    between = gap(sorted(times["wrong"]))
    for name, is_dear in [("the cheap", False), ("the dear", True)]:
        yield from pairs(f"`mixed`, {name}", turns_of_class(times, lambda time: (time >= between) == is_dear))
    parts = {kind: sum(time >= between for time in of_kind) / samples for kind, of_kind in times.items()}
    yield Classes(parts, samples, changed_classes(caller, between))


def turns_of_class(times, belongs):
    turns = [turn for turn in zip(*times.values()) if all(map(belongs, turn))]
    return dict(zip(times, map(list, zip(*turns))))


def gap(times):
    """A time between those of the two classes, most of which are cheap."""
    return times[len(times) // 4] * math.sqrt(DEARER)


def changed_classes(caller, between):
    """How many names that nobody has are of one class at first and of another later."""
    def is_dear(name):
        return min(caller.time(Guesses("mixed", [name]).form()) for _ in range(5)) >= between

    first = {name: is_dear(name) for name in names("unknown")}
    return sum(is_dear(name) != was_dear for name, was_dear in first.items())


def secrets():
    """Wrong secrets of clients that are there, and of such that are not."""
    return {
        "wrong": Secrets(WEB),
        "unknown": Secrets([f"web{number:03}" for number in range(900, 900 + len(WEB))]),
    }


def broken(caller, options):
    """Users whose hashes differ: by a half, and by so little that only many samples can tell."""
    base, *others = COSTS
    for name in others:
        kinds = {kind: Guesses("broken", [kind]) for kind in [base, name]}
        yield from pairs("`broken`", caller.times(kinds, max(options.samples, ENOUGH)))


# --- Requests ---


class Guesses:
    """Logins with a wrong password."""

    def __init__(self, source, usernames):
        self.source = source
        self.usernames = shuffled(usernames)

    def form(self):
        return BY_WEB | {
            "grant_type": "password",
            "auth_source_id": self.source,
            "username": next(self.usernames),
            "password": "WRONG_PASSWORD",
        }


class Secrets:
    """Wrong client secrets."""

    def __init__(self, ids):
        self.ids = shuffled(ids)

    def form(self):
        return {"grant_type": "client_credentials", "client_id": next(self.ids), "client_secret": "WRONG"}


def shuffled(items):
    """A list again and again, in orders that chance makes; anything else as it comes."""
    if not isinstance(items, list):
        return iter(items)
    return (item for _ in itertools.count() for item in random.sample(items, len(items)))


class Caller:
    """Times requests, each on a connection of its own, since Envoy closes it after a 400: one that was made a while ago."""

    def __init__(self, envoy):
        self.address = ("127.0.0.1", envoy.ports["gateway"])
        self.connections = collections.deque(self.connect() for _ in range(CONNECTIONS))
        self.answers = set()

    def connect(self):
        connection = socket.create_connection(self.address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def times(self, kinds, samples):
        """Microseconds of each kind's requests, which take turns; all of them have to be answered by the same bytes."""
        self.measure(kinds, samples // 10)  # V8 compiles what runs often
        self.answers.clear()
        times = self.measure(kinds, samples)
        assert len(self.answers) == 1, self.answers
        return times

    def measure(self, kinds, samples):
        times = {kind: [] for kind in kinds}
        for _ in range(samples):
            for kind in random.sample(list(kinds), len(kinds)):
                times[kind].append(self.time(kinds[kind].form()))
        return times

    def time(self, form):
        text = urllib.parse.urlencode(form)
        request = (HEAD.format(len(text)) + text).encode()
        with self.connections.popleft() as connection:
            started = time.perf_counter_ns()
            connection.sendall(request)
            answer = receive(connection)
            taken = (time.perf_counter_ns() - started) / 1e3
        self.answers.add(without_date(answer))
        self.connections.append(self.connect())
        time.sleep(REST * taken / 1e6)
        return taken


def receive(connection):
    answer = b""
    while not is_whole(answer):
        part = connection.recv(65536)
        assert part, "Envoy closed the connection"
        answer += part
    return answer


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    return len(body) == int(length.removeprefix(b"content-length: "))


def without_date(answer):
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"date: "))


def report(found):
    head = ["where", "pair", "turns", "mean µs", "difference µs", "t", "trimmed µs", "t", "by turns µs", "t", "told apart"]
    gateway.table(head, *(pair.row() for pair in found if isinstance(pair, Pair)))
    for classes in found:
        if isinstance(classes, Classes):
            parts = ", ".join(f"{part:.2%} of {kind}" for kind, part in classes.parts.items())
            print(f"\nDear in `mixed`: {parts}, t {classes.t:+.1f}; told apart: {verdict(classes.is_told())}. "
                  f"Of {USERS} names that nobody has, {classes.changed} changed their class.")
    print(f"\n{LEGEND}")


if __name__ == "__main__":
    main()
