"""Breaks a copy of the program on purpose, one mutant after the other, and sees that the simulation notices each by the invariant
that it is about: `python3 tests/simulation/mutants.py [NAME…]`.
With `--check` it only sees that the program has the text that each replaces."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
HOME = ROOT / "target/mutants"
COPY = HOME / "tree"
SEEDS = 300


@dataclasses.dataclass
class Mutant:
    name: str
    invariant: str
    file: str
    old: str
    new: str

    def edited(self, text):
        assert text.count(self.old) == 1, f"{self.name}: {self.file} has its text {text.count(self.old)} times"
        return text.replace(self.old, self.new)


MUTANTS = [
    Mutant("answers-twice", "one answer", "src/runtime/worker.rs",
           "if self.host.answer(exchange, &response, &audit::notes(event)).is_err()",
           "_ = self.host.answer(exchange, &response, &audit::notes(event));\n"
           "        if self.host.answer(exchange, &response, &audit::notes(event)).is_err()"),
    Mutant("any-password", "entitled", "src/endpoint/password.rs",
           "self.allowed.conclude(user, matches, about)", "self.allowed.conclude(user, matches || true, about)"),
    Mutant("any-status", "entitled", "src/endpoint/refresh.rs",
           "if user.status == Status::Active =>", "if user.status != Status::Disabled =>"),
    Mutant("any-client", "entitled", "src/endpoint/authentication.rs",
           "client.filter(|client| client.is_proven_by(secret.as_ref()))", "client.filter(|client| client.is_proven_by(secret.as_ref()) || true)"),
    Mutant("client-that-is-gone", "entitled", "src/endpoint/owner.rs",
           "get(&token.client_id) else { return Owner::Gone };", "get(&token.client_id) else { return Owner::Good };"),
    Mutant("user-of-the-configuration-who-is-gone", "entitled", "src/endpoint/owner.rs",
           "users.by_id(&token.subject).is_some_and(|account| token.is_of(account)),", "users.by_id(&token.subject).is_some(),"),
    Mutant("user-of-a-directory-who-is-gone", "entitled", "src/endpoint/owner.rs",
           "matches!(found, Found::Account(account) if is_of(account))", "matches!(found, Found::Account(account) if is_of(account) || true)"),
    Mutant("endless-grace", "one generation", "src/state/family.rs",
           "let is_soon = now <= since.after(self.grace) &&", "let is_soon = now <= since.after(self.grace * 1000) &&"),
    Mutant("grace-of-a-clock-put-back", "one generation", "src/state/family.rs",
           " && since <= now.after(self.grace).after(SKEW);", ";"),
    Mutant("no-grace-is-the-second", "graces", "src/state/places.rs",
           "next.elsewhere == last.checked_add(1)", "next.elsewhere == last.checked_add(1) && false"),
    Mutant("who-begins-forgets-graces", "graces", "src/state/places.rs",
           "Self { began_from: from, ..self }", "Self { began_from: from, elsewhere: None }"),
    Mutant("one-grace-is-enough", "honest", "src/state/places.rs",
           "self.elsewhere.is_some_and(|last| next.elsewhere == last.checked_add(1))", "next.elsewhere != self.elsewhere"),
    Mutant("denied-token-not-looked-up", "ended stays ended", "src/state/bucket.rs",
           "let ids = [token.family().0, id_of(token)];", "let ids = [token.family().0];"),
    Mutant("one-more-guess", "limits", "src/attempts/limit.rs",
           "checked_sub(self.failures.max(1))", "checked_sub(self.failures.max(1) + 1)"),
    Mutant("guesses-at-once", "limits", "src/attempts/policy.rs",
           "_ if wait > 0 => Ok(Telling::Wait(wait)),", "_ if wait > 0 && false => Ok(Telling::Wait(wait)),"),
    Mutant("friends-not-known", "friends", "src/attempts/friends.rs",
           "self.user == friend.user && self.place == friend.place", "self.user == friend.user && self.place == friend.place && false"),
    Mutant("strangers-hold-friends", "friends", "src/attempts/policy.rs",
           "self.friend_counter().filter(|_| is_friend)", "self.friend_counter().filter(|_| is_friend && false)"),
    Mutant("calls-not-woken-for", "nobody waits", "src/runtime/worker.rs",
           "        if self.has_work() {\n            self.pacing.wake(&self.host);", "        if self.has_requests() {\n            self.pacing.wake(&self.host);"),
    Mutant("only-the-first-is-answered", "nobody waits", "src/runtime/outbound_request.rs",
           "self.waiters.into_iter().map(|waiter| waiter.ready(result.clone()))",
           "self.waiters.into_iter().take(1).map(|waiter| waiter.ready(result.clone()))"),
    Mutant("slices-too-long", "slice", "src/runtime/sliced_checks.rs",
           "while host.since(start) < self.slice {", "while host.since(start) < self.slice * 4 {"),
    Mutant("timer-not-stopped", "at rest", "src/runtime/pacing.rs",
           "        self.waiting = NextSlice::Resting;\n        self.set_period(self.watch, host);", "        self.waiting = NextSlice::Resting;\n        _ = host;"),
    Mutant("call-not-given-back", "at rest", "src/runtime/calls.rs",
           "        upstream.leave();\n        upstream", "        upstream"),
    Mutant("newest-taken-for-stolen", "honest", "src/state/family.rs",
           "if newest > self.generation =>", "if newest >= self.generation =>"),
    Mutant("two-credentials", "refusals", "src/endpoint/authentication.rs",
           "if other_id || parameters.take(Parameter::ClientSecret).is_some() {", "if other_id {"),
]


def copy_tree():
    """Only what has changed is written, so that only that is built."""
    for name in ["src", "tests", "docs", "envoy", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "README.md"]:
        files = [ROOT / name] if (ROOT / name).is_file() else [path for path in (ROOT / name).rglob("*") if path.is_file()]
        for path in files:
            to = COPY / path.relative_to(ROOT)
            if not to.exists() or to.read_bytes() != path.read_bytes():
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)


def run(seeds):
    environment = {**os.environ, "SEEDS": str(seeds), "CARGO_TARGET_DIR": str(HOME / "target")}
    environment.pop("SEED", None)
    command = ["cargo", "test", "--quiet", "--test", "pure", "simulation::", "--", "--nocapture"]
    done = subprocess.run(command, cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def verdict(mutant):
    file = COPY / mutant.file
    whole = file.read_text()
    file.write_text(mutant.edited(whole))
    try:
        status, output = run(SEEDS)
    finally:
        file.write_text(whole)
    failure = re.search(r"^seed (\d+): ([a-z ]+): .*", output, re.MULTILINE)
    if status == 0:
        return False, f"not noticed in {SEEDS} seeds"
    if not failure:
        return False, "can't be judged:\n" + output[-2000:]
    seeds, invariant = int(failure[1]) + 1, failure[2]
    return invariant == mutant.invariant, f"{seeds} seed{'s' if seeds > 1 else ''} ({invariant})"


def main(names):
    for mutant in MUTANTS:
        mutant.edited((ROOT / mutant.file).read_text())
    if names == ["--check"]:
        return
    copy_tree()
    noticed = True
    for mutant in [mutant for mutant in MUTANTS if not names or mutant.name in names]:
        is_noticed, how = verdict(mutant)
        noticed = noticed and is_noticed
        print(f"{'noticed' if is_noticed else 'NOT NOTICED'}: {mutant.name} ({mutant.invariant}): {how}", flush=True)
    sys.exit(0 if noticed else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
