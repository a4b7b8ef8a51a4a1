"""The same login as an application server does it: what the hosts of `hosts.py` are compared with."""

import hashlib
import hmac
import os
import secrets
import time
from typing import Annotated

import argon2
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import FastAPI, Form, HTTPException
from fastapi.responses import PlainTextResponse

from gateway import PASSWORD_HASH

KEY = load_pem_private_key(os.environ["TOKEN_ENDPOINT_SIGNING_KEY"].encode(), None)
SECRET_HASH = hashlib.sha256(b"TENANT_CLIENT_SECRET").digest()
USERS = {"user0": PASSWORD_HASH}
SECONDS = 1800

app = FastAPI()
hasher = argon2.PasswordHasher()
# Whose refresh token each is.
sessions = {}

Field = Annotated[str, Form()]


# Not `async`: FastAPI then calls it in a thread of its pool, and argon2-cffi lets go of the interpreter while it hashes.
@app.post("/oauth2/token")
def token(grant_type: Field, client_id: Field, client_secret: Field, username: Field = "", password: Field = "", refresh_token: Field = ""):
    if not hmac.compare_digest(hashlib.sha256(client_secret.encode()).digest(), SECRET_HASH):
        raise HTTPException(401)
    user = log_in(username, password) if grant_type == "password" else sessions.pop(refresh_token, None)
    if user is None:
        raise HTTPException(400)
    return issue(user, client_id)


def log_in(username, password):
    try:
        hasher.verify(USERS[username], password)
    except (KeyError, argon2.exceptions.VerificationError):
        return None
    return username


def issue(user, client):
    refresh_token = secrets.token_urlsafe(32)
    sessions[refresh_token] = user
    return {
        "access_token": sign(user, client, scope=["openid"]),
        "id_token": sign(user, client, azp=client),
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "expires_in": SECONDS,
    }


def sign(user, client, **claims):
    now = int(time.time())
    terms = {"sub": user, "aud": client, "iss": "https://gateway.example.com", "iat": now, "exp": now + SECONDS}
    return jwt.encode(terms | {"jti": secrets.token_urlsafe(16)} | claims, KEY, "RS256", {"kid": "1"})


@app.get("/other", response_class=PlainTextResponse)
async def other():
    return "hello\n"
