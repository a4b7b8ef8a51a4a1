"""Sends load with `oha` and reads what became of each request."""

import contextlib
import csv
import os
import subprocess

from gateway import ROOT

OHA = os.environ.get("OHA", ROOT / ".tools/bin/oha")


class Load:
    """Requests under way."""

    def __init__(self, url, seconds, connections, rate=None, form=None, wait=False):
        """At a constant rate a request's time starts when it is due, not when a connection is free for it: a server
        that stalls can't hide it by keeping the next requests from being sent."""
        command = [OHA, "--no-tui", "--output-format", "csv", "--worker-threads", "1"]
        command += ["-z", f"{seconds * 1000:.0f}ms", "-c", str(connections)]
        if rate:
            command += ["-q", str(rate), "--latency-correction"]
        if wait:
            command += ["-w"]  # for the answers to what was sent before the end
        if form:
            command += ["-m", "POST", "-T", "application/x-www-form-urlencoded", "-d", form]
        self.seconds = seconds
        self.oha = subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True)

    def result(self):
        try:
            text, _ = self.oha.communicate(timeout=self.seconds + 60)
        finally:
            self.oha.kill()
        if self.oha.returncode:
            raise RuntimeError("oha failed")
        return Result(self.seconds, list(csv.DictReader(text.splitlines())))


class Result:
    """Requests that were answered."""

    def __init__(self, seconds, requests):
        self.seconds = seconds
        self.milliseconds = {}
        for request in requests:
            times = self.milliseconds.setdefault(int(request["status"]), [])
            times.append(float(request["request-duration"]) * 1e3)

    def statuses(self):
        return {status: len(times) for status, times in sorted(self.milliseconds.items())}

    def per_second(self, status=200):
        return len(self.milliseconds.get(status, [])) / self.seconds

    def times(self, status=200):
        return self.milliseconds.get(status, [])


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


@contextlib.contextmanager
def background(*arguments, **options):
    """Load that goes on while something else is measured."""
    load = Load(*arguments, **options)
    try:
        yield load
    finally:
        load.oha.kill()
        load.oha.communicate()


def run(*arguments, **options):
    return Load(*arguments, **options).result()
