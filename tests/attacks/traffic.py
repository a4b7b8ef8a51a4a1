"""What a gateway's callers send, good and bad, at a rate that can be changed; and whether each answer is as it has to be."""

import collections
import http.client
import json
import random
import socket
import threading
import time
import urllib.parse

import gateway
from callers import Callers

CALLERS = 24
SHARES = {"login": 15, "refresh": 35, "introspection": 20, "wrong password": 15, "garbage": 12, "leaves": 3}
CLIENT = {"client_id": "TENANT_CLIENT_ID", "client_secret": "TENANT_CLIENT_SECRET"}
FORM = "application/x-www-form-urlencoded"
EXPECTED = {"login": {200}, "refresh": {200}, "introspection": {200}, "wrong password": {400, 429},
            "garbage": {400, 401, 403, 404, 405, 413, 415, 429, 431}}


class Traffic(Callers):
    """Requests of all kinds from now on; `with` ends them."""

    def __init__(self, envoy, rate):
        super().__init__(CALLERS)
        self.address = ("127.0.0.1", envoy.ports["gateway"])
        self.rate = rate
        self.lifetime = None
        self.answers, self.wrong = collections.Counter(), []
        self.refresh_tokens, self.access_tokens = collections.deque(), collections.deque(maxlen=50)
        self.lock, self.due = threading.Lock(), time.monotonic()

    def count(self, kind):
        return sum(count for (of_kind, _), count in self.answers.items() if of_kind == kind)

    def call(self):
        while not self.over:
            time.sleep(max(0, self.next_due() - time.monotonic()))
            kind, = random.choices(list(SHARES), SHARES.values())
            try:
                self.ACTS[kind](self)
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.note(kind, "lost", repr(error), is_right=False)

    def next_due(self):
        """Those who are late don't make up for it: that would be another rate."""
        with self.lock:
            self.due = max(self.due + 1 / self.rate, time.monotonic() - 1)
            return self.due

    # --- What they do ---

    def log_in(self):
        name = f"user{random.randrange(20)}" if random.random() < 0.5 else f"quick{random.randrange(500)}"
        status, text = self.send("login", password_form(name, "MOCK_PASSWORD"))
        if status == 200:
            self.keep(text)

    def refresh(self):
        token = self.take()
        if token is None:
            return self.log_in()
        status, text = self.send("refresh", refresh_form(token))
        if status == 200:
            self.keep(text)

    def introspect(self):
        if not self.access_tokens:
            return self.log_in()
        token = random.choice(list(self.access_tokens))
        status, text = self.send("introspection", CLIENT | {"token": token}, "/oauth2/introspect")
        if status == 200 and not json.loads(text)["active"]:
            self.note("introspection", "inactive", text, is_right=False)

    def guess(self):
        name = f"guessed{random.randrange(500)}" if random.random() < 0.5 else f"nobody{random.randrange(10**9)}"
        self.send("wrong password", password_form(name, random.randbytes(6).hex()))

    def send_garbage(self):
        method, path, body, content_type = random.choice(GARBAGE)()
        self.exchange("garbage", method, path, body, content_type)

    def leave(self):
        """In the midst of a request, or before its answer, which counts as a failure."""
        body = urllib.parse.urlencode(password_form(f"guessed{random.randrange(500)}", "MOCK_PASSWORD"))
        head = f"POST /oauth2/token HTTP/1.1\r\nhost: a\r\ncontent-type: {FORM}\r\ncontent-length: {len(body)}\r\n\r\n"
        request = (head + body).encode()
        with socket.create_connection(self.address) as connection:
            connection.sendall(request[:random.choice([len(head) // 2, len(head) + 9, len(request)])])
            time.sleep(0.01)
        self.note("leaves", "-", "", is_right=True)

    ACTS = {"login": log_in, "refresh": refresh, "introspection": introspect, "wrong password": guess, "garbage": send_garbage,
            "leaves": leave}

    # --- What they get ---

    def send(self, kind, form, path="/oauth2/token"):
        return self.exchange(kind, "POST", path, urllib.parse.urlencode(form), FORM)

    def exchange(self, kind, method, path, body, content_type):
        connection = http.client.HTTPConnection(*self.address, timeout=gateway.PATIENCE)
        try:
            connection.request(method, path, body, {"content-type": content_type})
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode()
        finally:
            connection.close()
        is_load = status == 503 and answer.headers["retry-after"] is not None
        self.note(kind, status, text, is_load or status in EXPECTED[kind])
        return status, text

    def note(self, kind, status, text, is_right):
        with self.lock:
            self.answers[kind, status] += 1
            if not is_right:
                self.wrong.append(f"{time.strftime('%H:%M:%S')} {kind}: {status} {text[:200]}")

    def keep(self, text):
        tokens = json.loads(text)
        self.lifetime = tokens["expires_in"]
        self.access_tokens.append(tokens["access_token"])
        self.refresh_tokens.append(tokens["refresh_token"])

    def take(self):
        try:
            return self.refresh_tokens.popleft()
        except IndexError:
            return None


def password_form(name, password):
    user = {"auth_source_id": "users", "username": name, "password": password}
    return CLIENT | user | {"grant_type": "password", "scope": "openid"}


def refresh_form(token):
    return CLIENT | {"grant_type": "refresh_token", "refresh_token": token}


def good():
    return urllib.parse.urlencode(password_form("user0", "MOCK_PASSWORD"))


def mangled():
    """A login with a byte that is another. One field is given three times, so that it is none whichever byte that is."""
    text = bytearray((good() + 2 * "&scope=openid").encode())
    text[random.randrange(len(text))] = random.randrange(256)
    return bytes(text)


GARBAGE = [
    lambda: ("POST", "/oauth2/token", random.randbytes(random.randrange(1, 4000)), FORM),
    lambda: ("POST", "/oauth2/token", mangled(), FORM),
    lambda: ("POST", "/oauth2/token", good(), "application/json"),
    lambda: ("POST", "/oauth2/token", good().replace("=password", "=implicit"), FORM),
    lambda: ("POST", "/oauth2/token", good().replace("_SECRET&", "_SECRET%zz&"), FORM),
    lambda: ("POST", "/oauth2/token", "a" * 20_000, FORM),
    lambda: ("POST", "/oauth2/token", "", FORM),
    lambda: ("GET", "/oauth2/token?" + good(), None, FORM),
    lambda: ("PUT", "/oauth2/token", good(), FORM),
    lambda: ("POST", "/oauth2/revoke", "token=" + "x" * 900, FORM),
    lambda: ("POST", "/oauth2/introspect", urllib.parse.urlencode({"token": random.randbytes(60).hex()}), FORM),
    lambda: ("POST", "/oauth2/token", urllib.parse.urlencode(refresh_form(random.randbytes(90).hex())), FORM),
]
