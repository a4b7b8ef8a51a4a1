"""A caller: one request a connection, from an address of its choice, its path as it is."""

import dataclasses
import http.client
import json
import socket
import ssl
import time
import urllib.parse

HOST = "gateway.example.com"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclasses.dataclass
class Target:
    """Where a proxy is reached."""

    address: str
    port: int
    authority: str | None = None  # the CA of its certificate; None: no TLS

    def connect(self, caller):
        raw = socket.create_connection((self.address, self.port), 20, (caller, 0) if caller else None)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.authority is None:
            return raw
        return ssl.create_default_context(cafile=self.authority).wrap_socket(raw, server_hostname=HOST)

    def send(self, method, path, headers=(), body=b"", caller=None, pause=0):
        """Sends a request, the last byte of its body after a pause."""
        headers = {"host": HOST, "connection": "close", **dict(headers)}
        if body:
            headers["content-length"] = len(body)
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with self.connect(caller) as connection:
            connection.sendall(f"{head}\r\n".encode() + body[:-1])
            time.sleep(pause)
            connection.sendall(body[-1:])
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def post(self, path, caller=None, headers=(), pause=0, **fields):
        return self.send("POST", path, {**FORM, **dict(headers)}, urllib.parse.urlencode(fields).encode(), caller, pause)

    def get(self, path, token=None, caller=None, headers=()):
        credentials = {"authorization": f"Bearer {token}"} if token else {}
        return self.send("GET", path, {**credentials, **dict(headers)}, caller=caller)

    def log_in(self, caller, name="MOCK_USERNAME", password="MOCK_PASSWORD", client="TENANT_CLIENT_ID", **more):
        secret = {"client_secret": "TENANT_CLIENT_SECRET"} if client in ("TENANT_CLIENT_ID", "OTHER_CLIENT_ID") else {}
        source = "MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID"
        return self.post("/oauth2/token", caller, grant_type="password", client_id=client, **secret, auth_source_id=source,
                         username=name, password=password, **more)

    def refresh(self, caller, token, client="TENANT_CLIENT_ID"):
        return self.post("/oauth2/token", caller, grant_type="refresh_token", client_id=client, client_secret="TENANT_CLIENT_SECRET",
                         refresh_token=token)
