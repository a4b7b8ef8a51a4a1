"""Turns the users of Keycloak's realm exports into a directory of users for token-endpoint.

    python3 docs/keycloak_users.py realm.json… > users.json

Standard error says who is left out, by id, and why.
"""

import base64
import datetime
import json
import sys


def main(paths):
    users = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for user in json.load(file).get("users", []):
                try:
                    users.append(converted(user))
                except LookupError as error:
                    print(f"left out: {user['id']}: {error.args[0]}", file=sys.stderr)
    json.dump({"users": users}, sys.stdout, indent=2)
    print()


def converted(user):
    credential = password_of(user)
    names = {"username": user.get("username"), "email": user.get("email")}
    claims = {"given_name": user.get("firstName"), "family_name": user.get("lastName"), "email": user.get("email")}
    changed = credential.get("createdDate")
    return without_nothing({
        "id": user["id"],
        "identifiers": without_nothing({name: text for name, text in names.items() if is_of_its_kind(name, text)}),
        "password_hash": phc_string(credential),
        "status": None if user.get("enabled", True) else "disabled",
        "password_changed_at": changed and moment(changed),
        "claims": without_nothing(claims),
    })


def password_of(user):
    if "serviceAccountClientLink" in user:
        raise LookupError("a service account: give its client the grant client_credentials")
    for credential in user.get("credentials", []):
        if credential["type"] == "password":
            return credential
    raise LookupError("no password")


def phc_string(credential):
    cost, secret = json.loads(credential["credentialData"]), json.loads(credential["secretData"])
    salt_and_digest = f"{unpadded(secret['salt'])}${unpadded(secret['value'])}"
    if cost["algorithm"] in ("pbkdf2-sha256", "pbkdf2-sha512"):
        return f"${cost['algorithm']}$i={cost['hashIterations']}${salt_and_digest}"
    if cost["algorithm"] == "argon2":
        more = {name: values[0] for name, values in cost["additionalParameters"].items()}
        version = {"1.0": 16, "1.3": 19}[more["version"]]
        parameters = f"m={more['memory']},t={cost['hashIterations']},p={more['parallelism']}"
        return f"$argon2{more['type']}$v={version}${parameters}${salt_and_digest}"
    raise LookupError(f"a password hashed by {cost['algorithm']}")


def unpadded(text):
    return base64.b64encode(base64.b64decode(text)).decode().rstrip("=")


def is_of_its_kind(name, text):
    """A user name with an @ would be taken for an e-mail address by who reads what users type."""
    return text and ("@" in text) == (name == "email")


def moment(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def without_nothing(fields):
    return {name: value for name, value in fields.items() if value}


main(sys.argv[1:])
