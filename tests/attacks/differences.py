"""Whether requests of two kinds take equally long: what is chance, and what a caller can tell."""

import itertools
import math
import statistics

# From here on a difference is no chance: the limit of Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?".
MOST_T = 4.5
MOST_MICROSECONDS = 5
# The rest is what took longest: noise.
KEPT = 0.9
LEGEND = f"Told apart: more than {MOST_MICROSECONDS} µs and |t| > {MOST_T}; trimmed: without the slowest {1 - KEPT:.0%}."


class Pair:
    """Two kinds of requests that have to take equally long, turn by turn."""

    def __init__(self, where, names, one, other):
        self.where, self.names, self.count, self.mean = where, names, len(one), statistics.fmean(one)
        limit = sorted(one + other)[int((len(one) + len(other)) * KEPT) - 1]
        self.plain = welch(one, other)
        self.trimmed = welch(*([time for time in times if time <= limit] for times in (one, other)))
        self.turns = paired([turn for turn in zip(one, other) if max(turn) <= limit])

    def is_told(self):
        return self.trimmed.is_told() or self.turns.is_told()

    def row(self):
        differences = self.plain.row() + self.trimmed.row() + self.turns.row()
        return [self.where, " / ".join(self.names), f"{self.count:,}", f"{self.mean:,.0f}", *differences, verdict(self.is_told())]


class Difference:
    """Of two means, in microseconds, and how many times its own standard error it is."""

    def __init__(self, mean, variance):
        self.mean, self.t = mean, mean / math.sqrt(variance)

    def is_told(self):
        return abs(self.t) > MOST_T and abs(self.mean) > MOST_MICROSECONDS

    def row(self):
        return [f"{self.mean:+.1f}", f"{self.t:+.1f}"]


def welch(one, other):
    variance = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return Difference(statistics.fmean(other) - statistics.fmean(one), variance)


def paired(turns):
    """What the machine does more slowly now than before is in neither."""
    differences = [later - first for first, later in turns]
    return Difference(statistics.fmean(differences), statistics.variance(differences) / len(differences))


class Classes:
    """What part of the users, and of the names that nobody has, is dear."""

    def __init__(self, parts, samples, changed):
        self.parts, self.samples, self.changed = parts, samples, changed
        one, other = parts.values()
        error = math.sqrt((one * (1 - one) + other * (1 - other)) / samples)
        self.t = (other - one) / error

    def is_told(self):
        return abs(self.t) > MOST_T or self.changed > 0


def pairs(where, times):
    for one, other in itertools.combinations(times, 2):
        yield Pair(where, (one, other), times[one], times[other])


def verdict(is_told):
    return "**yes**" if is_told else "no"
