"""What must be true of every form. A story is a function of a form that raises Failed, or returns what is worth a note."""

import statistics
import threading
import time

from lab import Failed, until

OURS = ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/userinfo", "/oauth2/jwks", "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server"]
# Other ways of writing /api/hello, and ways out of a public path: none opens anything without a token.
SPELLINGS = [
    "//api/hello", "///api/hello", "/api//hello", "/api%2fhello", "/api%2Fhello", "/%61pi/hello", "/api/./hello", "/./api/hello",
    "/x/../api/hello", "/x/..%2fapi/hello", "/x/%2e%2e/api/hello", "/;/api/hello", "/api;a=b/hello", "/api/hello;a=b", "/API/hello",
    "/Api/Hello", "/api/hello/", "/api/hello?x=/public/hello", "/api\\hello", "/public/hello/../../api/hello", "/public/..%2fapi/hello",
    "/public/..%5capi/hello", "/public/%2e%2e/api/hello", "/public/hello/..%2f..%2fapi/hello", "/public/hello%2f..%2f..%2fapi/hello",
    "/public/hello;/../../api/hello", "/public/..;/api/hello", "/public//../api/hello", "/public/.%2e/api/hello", "/public%2fhello%2f../../api/hello",
]
ADMIN_SPELLINGS = ["/api/admin", "/api/admin/", "//api/admin", "/api//admin", "/api/%61dmin", "/API/admin", "/api/admin;a=b", "/api/x/../admin",
                   "/api/hello/../admin", "/api/hello%2f..%2fadmin", "/api/hello/..%2fadmin", "/api/hello/..;/admin"]


def check(condition, what):
    if not condition:
        raise Failed(what)


def login(form):
    """A login, a refresh, a revocation and the documents."""
    caller = form.lab.caller()
    answer = form.target.log_in(caller)
    check(answer.status == 200, f"login: {answer.status} {answer.body[:200]}")
    tokens = answer.json()
    check(form.target.log_in(caller, password="WRONG").status == 400, "a wrong password is not 400")
    refreshed = form.target.refresh(caller, tokens["refresh_token"])
    check(refreshed.status == 200, f"refresh: {refreshed.status}")
    for path in OURS[4:]:
        check(form.target.get(path, caller=caller).status == 200, path)


def slow_body(form):
    """A login whose body comes a second late."""
    answer = form.target.log_in(form.lab.caller(), headers=(), pause=1)
    check(answer.status == 200, f"{answer.status}")


def tokens(form):
    """/api/ opens to access tokens, and to nothing else."""
    caller, get = form.lab.caller(), lambda token: form.target.get("/api/hello", token).status
    mine, others = form.target.log_in(caller).json(), form.target.log_in(caller, client="OTHER_CLIENT_ID").json()
    until("an access token to be good", lambda: get(mine["access_token"]) == 200, 20)
    statuses = [get(None), get("nonsense"), get(mine["id_token"]), get(others["access_token"])]
    check(all(status in (401, 403) for status in statuses), f"none, nonsense, ID token, another audience: {statuses}")


def spellings(form):
    """No spelling of a secured path opens it without a token."""
    before = len(form.seen())
    statuses = {path: form.target.get(path).status for path in SPELLINGS}
    open_ = [path for path, status in statuses.items() if status == 200] + [seen["path"] for seen in form.seen()[before:]]
    check(not open_, f"open without a token: {open_}")
    check(form.target.get("/public/hello").status == 200, "/public/hello is closed")
    return f"{len(SPELLINGS)}"


def caller_header(form):
    """Nobody says himself who called."""
    forged, caller = {"x-user-id": "forged"}, form.lab.caller()
    token = form.target.log_in(caller).json()["access_token"]
    told = form.target.get("/api/hello", token, headers=forged).json()["user"]
    check(told == "MOCK_USER_ID", f"with a token: {told}")
    preflight = {"origin": "https://a.example.com", "access-control-request-method": "GET", **forged}
    public = form.target.get("/public/hello", headers=forged).json()["user"]
    form.target.send("OPTIONS", "/public/hello", preflight)
    passed = [seen for seen in form.seen() if seen["user"] == "forged"]
    check(public is None and not passed, f"without a token: {public} {passed}")


def groups(form):
    """/api/admin is for members of admins, however it is written."""
    caller = form.lab.caller()
    user, admin = (form.target.log_in(caller, name).json()["access_token"] for name in ("MOCK_USERNAME", "ADMIN"))
    check(form.target.get("/api/admin", admin).status == 200, "a member is refused")
    before = len(form.seen())
    statuses = {path: form.target.get(path, user).status for path in ADMIN_SPELLINGS}
    reached = [seen["path"] for seen in form.seen()[before:] if seen["path"] != "/api/hello"]
    check(not reached, f"open to others: {reached} {statuses}")


def live_edit(form):
    """A user is added under load, and no request fails."""
    load = Load(form)
    try:
        time.sleep(1)
        started = time.monotonic()
        form.apply(form.changed(lambda configuration: add_user(configuration, "NEWCOMER")))
        caller = form.lab.caller()
        until("the newcomer to log in", lambda: form.target.log_in(caller, "NEWCOMER").status == 200, 40)
        seconds = time.monotonic() - started
    finally:
        counts = load.end()
    form.apply()
    check(set(counts) == {200} and counts[200] > 20, f"{counts}")
    return f"{counts[200]} answers, {seconds:.1f} s"


def add_user(configuration, name):
    users = configuration["auth_sources"][0]["users"]
    users.append(users[0] | {"id": name, "identifiers": {"username": name}})


class Load:
    """Logins and other requests, one after the other, until it ends; a minute at most."""

    def __init__(self, form):
        self.form, self.counts, self.stopped = form, {}, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(ask, form.lab.caller())) for ask in (self.log_in, self.get_public)]
        for thread in self.threads:
            thread.start()

    def log_in(self, caller):
        return self.form.target.log_in(caller).status

    def get_public(self, caller):
        time.sleep(0.02)
        return self.form.target.get("/public/hello", caller=caller).status

    def run(self, ask, caller):
        end = time.monotonic() + 60
        while not self.stopped.is_set() and time.monotonic() < end:
            try:
                status = ask(caller)
            except OSError as error:
                status = type(error).__name__
            self.counts[status] = self.counts.get(status, 0) + 1

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return self.counts


# A client without a secret: behind one with a secret no address is counted.
PUBLIC = "SPA_CLIENT_ID"


def guesses(form):
    """Who guesses is held, and nobody else behind the same proxy."""
    guesser, other = form.lab.caller(), form.lab.caller()
    statuses = [form.target.log_in(guesser, f"NOBODY{number}", "WRONG", PUBLIC).status for number in range(52)]
    last, honest = statuses[-1], form.target.log_in(other, client=PUBLIC).status
    check(set(statuses[:50]) == {400}, f"the first 50: {set(statuses[:50])}")
    check(last == form.after_guesses, f"the 52nd guess: {last} instead of {form.after_guesses}")
    check(honest == 200, f"another caller: {honest}")
    return f"{last}, {honest}"


def forged_address(form):
    """Who says that he is somebody else is counted all the same, and holds nobody."""
    caller, victim = form.lab.caller(), form.lab.caller()
    forged = lambda address: {"x-forwarded-for": address}
    guess = lambda number, address: form.target.log_in(caller, f"ANYONE{number}", "WRONG", PUBLIC, headers=forged(address)).status
    statuses = [guess(number, f"192.0.2.{number}") for number in range(52)]
    check(statuses[-1] == form.after_guesses, f"under 52 addresses: {statuses[-1]} instead of {form.after_guesses}")
    caller = form.lab.caller()
    for number in range(100, 152):
        guess(number, victim)
    check(form.target.log_in(victim, client=PUBLIC).status == 200, "the owner of the address is held")
    return f"{statuses[-1]}"


def pacing(form):
    """The pacing cluster answers; and how long a login takes with it and without."""
    before = paced(form)
    with_pacing = median_login(form)
    check(paced(form) >= before + 15, "the pacing cluster starts no slices")
    form.apply(form.changed(lambda configuration: configuration.pop("password_checks")))
    time.sleep(form.settling)
    without = median_login(form)
    form.apply()
    time.sleep(form.settling)
    return f"{with_pacing:.0f} / {without:.0f} ms"


def paced(form):
    """How many requests the pacing cluster has answered."""
    lines = form.proxies[0].admin("clusters").splitlines()
    return sum(int(line.rsplit("::", 1)[1]) for line in lines if line.startswith("pacing::") and "::rq_success::" in line)


def median_login(form, count=15):
    caller, times = form.lab.caller(), []
    for _ in range(count):
        started = time.monotonic()
        check(form.target.log_in(caller).status == 200, "a login failed")
        times.append((time.monotonic() - started) * 1000)
    return statistics.median(times)


def no_keys_told(form):
    """No key is in Envoy's dump of its configuration."""
    dump = form.config_dump()
    check("token_endpoint" in dump or "token-endpoint" in dump, "the filter is not in the dump")
    secrets = [form.keys.refresh, form.keys.signing.splitlines()[5]]
    check(not any(secret in dump for secret in secrets), "a key is in /config_dump")


def streams(form):
    """An HTTP/2 connection has a hundred requests at once at most."""
    check('"max_concurrent_streams": 100' in form.config_dump(), "no such bound in the dump")


def numbers(form):
    """Statistics, access-log fields and audit lines are there."""
    form.target.log_in(form.lab.caller())
    check("token_endpoint_password_issued" in form.statistics(), "no statistics")
    until("an audit line", lambda: 'decision request="password" outcome="issued"' in form.log(), 10)
    until("an access log line", lambda: form.has_access_log(), 10)


def fleet(form):
    """A refresh token used at one replica is spent at the other."""
    form.share_state()
    second = form.replica()
    until("the replica to answer", lambda: second.get("/oauth2/jwks").status == 200, 60)
    caller = form.lab.caller()
    until("logins with the shared store", lambda: form.target.log_in(caller).status == 200, 30)
    first = form.target.log_in(caller).json()["refresh_token"]
    next_ = second.refresh(caller, first)
    check(next_.status == 200, f"the other replica: {next_.status} {next_.body[:200]}")
    newest = second.refresh(caller, next_.json()["refresh_token"])
    check(newest.status == 200, f"refreshed again: {newest.status}")
    time.sleep(form.grace)
    replayed = form.target.refresh(caller, first)
    ended = second.refresh(caller, newest.json()["refresh_token"])
    check((replayed.status, ended.status) == (400, 400), f"replayed {replayed.status}, the family's newest {ended.status}")


def control_plane_away(form):
    """What runs goes on. What begins waits for the control plane, and does not serve."""
    form.control_plane.stop()
    running = statuses(form)
    form.proxies[0].stop()
    form.proxies[0].launch()
    time.sleep(5)
    fresh = statuses(form)
    form.control_plane.start()
    until("logins again", form.lets_in, 90)
    check(running == form.expected["running"], f"running: {running}")
    check(not any(isinstance(status, int) for status in fresh), f"fresh: {fresh}")
    return running


def image_missing_while_running(form):
    form.apply(form.with_image(form.missing_image))
    time.sleep(form.settling + 3)
    seen = statuses(form)
    check(seen == form.expected["image missing, running"], f"{seen}")
    form.apply()
    until("logins again", form.lets_in, 40)
    return seen


def image_missing_at_start(form):
    form.registry.stop()
    check(form.lets_in(), "what runs needs the registry")
    form.restart(form.documents)
    time.sleep(form.settling + 3)
    seen = statuses(form)
    check(seen == form.expected["image missing, fresh"], f"{seen}")
    return seen


def registry_back(form):
    """What heals it once the registry is back."""
    form.registry.start()
    healed = heals(form, 15)
    check(form.expected["heals by itself"] in (healed, None), f"heals by itself: {healed}")
    if not healed:
        form.apply(form.changed(lambda configuration: configuration.update(lifetimes={"access_token": "301s"})))
        until("a change to heal it", form.lets_in, 60)
        form.apply()
        return "by a change"
    return "by itself"


def heals(form, seconds):
    try:
        return until("", form.lets_in, seconds)
    except Failed:
        return False


def bad_configuration_while_running(form):
    form.apply(form.changed(break_it))
    time.sleep(form.settling + 2)
    seen = statuses(form)
    check(seen == form.expected["bad configuration, running"], f"{seen}")
    check("configuration refused: issuer" in form.log(), "the log doesn't say why")
    form.apply()
    time.sleep(form.settling)
    check(form.lets_in(), "no login after it was mended")
    return seen


def bad_configuration_at_start(form):
    form.restart(form.changed(break_it))
    time.sleep(form.settling + 2)
    seen = statuses(form)
    check(seen == form.expected["bad configuration, fresh"], f"{seen}")
    form.apply()
    until("logins after it was mended", form.lets_in, 60)
    return seen


def break_it(configuration):
    configuration["issuer"] = "not a URL"


def statuses(form):
    """Of a login, of a public path, and of a secured one without a token."""
    paths = [lambda: form.target.log_in(form.lab.visitor), lambda: form.target.get("/public/hello"), lambda: form.target.get("/api/hello")]
    return tuple(status(ask) for ask in paths)


def status(ask):
    try:
        return ask().status
    except OSError as error:
        return type(error).__name__


def second_keys(form):
    """The second way of giving the keys: by Envoy Gateway, the proxies fetch them from themselves."""
    if not form.fetch_keys():
        return "not run"
    token = form.target.log_in(form.lab.visitor).json()["access_token"]
    until("fetched keys", lambda: "remote_jwks" in form.config_dump() and form.target.get("/api/hello", token).status == 200, 30)
    check(form.target.get("/api/hello").status == form.expected["running"][2], "open without a token")
    form.apply()
    return None


def unseen(form):
    """In all that time, the service has seen no request to the token endpoint's paths."""
    leaked = [seen for seen in form.seen() if seen["path"].split("?")[0] in OURS]
    check(not leaked, f"the service saw {leaked[:3]}")
    check(len(form.seen()) > 20, "the service saw nothing at all")


STORIES = [
    login, slow_body, tokens, spellings, caller_header, groups, guesses, forged_address, pacing, streams, numbers, no_keys_told, live_edit,
    control_plane_away, image_missing_while_running, bad_configuration_while_running, fleet, image_missing_at_start, registry_back,
    bad_configuration_at_start, second_keys, unseen,
]
