"""Proves that too many logins, and clients that vanish, do no harm; ends with an error where they do."""

import socket
import statistics
import sys
import time

import gateway
import load

SECONDS = 60
RATE = 1000
VANISHING = 10_000
CROWD = 100
MOST_MILLISECONDS = 20


class Claims:
    """What has to be true, and whether it is."""

    def __init__(self):
        self.rows = [["claim", "measured", "holds"]]

    def add(self, claim, measured, holds):
        self.rows.append([claim, measured, "yes" if holds else "**no**"])


def main():
    claims = Claims()
    gateway.set_a_core_apart()
    with gateway.Gateway(gateway.logins(**gateway.PACING)) as envoy:
        flood(envoy, claims)
    # A queue that is long enough for a crowd: each of them is to have work that is waiting or under way.
    with gateway.Gateway(gateway.logins(**gateway.PACING, max_wait="30s")) as envoy:
        vanish(envoy, claims)
    gateway.table(*claims.rows)
    sys.exit(any(holds != "yes" for _, _, holds in claims.rows[1:]))


def flood(envoy, claims):
    """Ten times more logins than one worker can do."""
    load.run(envoy.url("/oauth2/token"), 3, 8, form=gateway.LOGIN)
    quiet = load.run(envoy.url("/other"), 10, 50, RATE).times()
    capacity = measure_capacity(envoy)
    rate = round(10 * capacity)
    memory = []
    logins = load.Load(envoy.url("/oauth2/token"), SECONDS, 500, rate, gateway.LOGIN, wait=True)
    other = load.Load(envoy.url("/other"), SECONDS, 50, RATE)
    with envoy.watch_worker() as watch:
        for _ in range(SECONDS // 5):
            time.sleep(5)
            memory.append(envoy.resident_mib())
    logins, other = logins.result(), other.result()
    quiet += load.run(envoy.url("/other"), 10, 50, RATE).times()

    statuses = logins.statuses()
    refused = load.percentile(logins.times(503), 0.5)
    goodput = logins.per_second() * watch["wall"] / watch["had"]
    calm, busy = load.percentile(quiet, 0.99), load.percentile(other.times(), 0.99)
    # The first samples are from before the queue is full.
    growth = memory[-1] - memory[2]
    claims.add(f"{rate} logins/s for {SECONDS} s: every one is answered by 200, 429 or 503", statuses,
               set(statuses) <= {200, 429, 503} and sum(statuses.values()) >= 0.99 * rate * SECONDS)
    claims.add(f"503 under {MOST_MILLISECONDS} ms at the median", f"{refused:.1f} ms", refused < MOST_MILLISECONDS)
    claims.add("goodput within 15 % of capacity", f"{goodput:.1f} of {capacity:.1f}/s: {goodput / capacity:.2f}", goodput / capacity >= 0.85)
    claims.add("p99 of other requests within 1.5 ms of no logins", f"{calm:.2f} → {busy:.2f} ms", busy <= calm + 1.5)
    claims.add("the pacing cluster is not given up", "-", "pacing cluster" not in (envoy.state / "log").read_text())
    claims.add("memory is flat", f"{memory[2]:.0f} → {memory[-1]:.0f} MiB", growth < 8)


def measure_capacity(envoy):
    """Logins per second that the worker has its core, beside the same other requests."""
    with load.background(envoy.url("/other"), 20, 50, RATE):
        requests = load.Load(envoy.url("/oauth2/token"), 12, 8, form=gateway.LOGIN)
        time.sleep(1)
        with envoy.watch_worker() as watch:
            time.sleep(10)
        return requests.result().per_second() * watch["wall"] / watch["had"]


def vanish(envoy, claims):
    """Clients that connect, send a login and go, in crowds, some politely (FIN) and some not (RST)."""
    load.run(envoy.url("/oauth2/token"), 3, 8, form=gateway.LOGIN)
    alone = statistics.median(time_login(envoy) for _ in range(10))
    before, next_logins, memory, seconds = envoy.counters()["password.issued"], [], [], 0
    for number in range(VANISHING // CROWD):
        with envoy.watch_worker() as watch:
            vanish_crowd(envoy)
        seconds += watch["ran"]
        if number % 5 == 4:
            next_logins.append(time_login(envoy))
            memory.append(envoy.resident_mib())
    finished = envoy.counters()["password.issued"] - before - len(next_logins)
    each, following = seconds / VANISHING, statistics.median(next_logins)
    # The first half shows the most that is held at one time; a leak would go on.
    growth = memory[-1] - memory[len(memory) // 2]
    claims.add(f"of {VANISHING:,} vanished logins none is checked to its end", finished, finished == 0)
    claims.add("their work is dropped", f"{each * 1e3:.2f} ms of the worker each; a login alone: {alone * 1e3:.0f} ms", each < alone / 10)
    claims.add("the next login is served at once", f"{following * 1e3:.0f} ms at the median, {max(next_logins) * 1e3:.0f} at most", following < 2 * alone)
    claims.add("nothing leaks", f"{memory[len(memory) // 2]:.0f} → {memory[-1]:.0f} MiB in the second half", growth < 4)


def time_login(envoy):
    """Seconds of a login, without those in which other programs had the worker's core."""
    with envoy.watch_worker() as watch:
        status, text = envoy.post(gateway.LOGIN)
    assert status == 200, text
    return watch["had"]


def vanish_crowd(envoy):
    """They stay for less than a check takes."""
    head = f"POST /oauth2/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {len(gateway.LOGIN)}\r\n\r\n"
    crowd = []
    for number in range(CROWD):
        client = socket.create_connection(("127.0.0.1", envoy.ports["gateway"]))
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall((head + gateway.LOGIN).encode())
        crowd.append(client)
    time.sleep(0.01)
    for client in crowd:
        client.close()


if __name__ == "__main__":
    main()
