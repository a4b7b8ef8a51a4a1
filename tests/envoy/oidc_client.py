"""What an OpenID Connect client does with the demo gateway, done by a library that knows nothing of it: authlib.

    oidc_client.py ISSUER ADDRESS CLIENT_ID CLIENT_SECRET AUTH_SOURCE_ID USERNAME PASSWORD

ISSUER is all that the client knows of the server. What is behind it is reached at ADDRESS, as it would be through DNS and
TLS. Ends with 0 if all went as the standards have it.
"""

import sys

from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc8414 import get_well_known_url as rfc8414_url
from authlib.oidc.core import IDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as discovery_url
from joserfc import jwt
from joserfc.jwk import KeySet
from requests.adapters import HTTPAdapter

ISSUER, ADDRESS, CLIENT_ID, CLIENT_SECRET, AUTH_SOURCE_ID, USERNAME, PASSWORD = sys.argv[1:]


class Network(HTTPAdapter):
    """Stands for DNS and TLS."""

    def send(self, request, **options):
        request.headers["host"] = ISSUER.removeprefix("https://")
        request.url = request.url.replace(ISSUER, f"http://{ADDRESS}", 1)
        return super().send(request, **options)


def session(method):
    made = OAuth2Session(CLIENT_ID, CLIENT_SECRET, scope="openid", token_endpoint_auth_method=method)
    made.mount(ISSUER, Network())
    made.trust_env = False
    return made


def discover(client):
    documents = [client.get(url, withhold_token=True) for url in
                 (discovery_url(ISSUER, external=True), rfc8414_url(ISSUER, external=True))]
    for answer, kind in zip(documents, (OpenIDProviderMetadata, AuthorizationServerMetadata)):
        answer.raise_for_status()
        validate(kind(answer.json()))
    assert documents[0].json() == documents[1].json()
    return documents[0].json()


def validate(metadata):
    """Each member by itself, since authlib wants a response type even of a server without an authorization endpoint."""
    assert metadata["response_types_supported"] == []
    validators = [name for name in dir(metadata) if name.startswith("validate_")]
    assert len(validators) > 20, validators
    for name in validators:
        if name != "validate_response_types_supported":
            getattr(metadata, name)()
    assert metadata["issuer"] == ISSUER, metadata


def id_token_of(tokens, metadata, keys):
    algorithms = metadata["id_token_signing_alg_values_supported"]
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=algorithms)
    claims = IDToken(decoded.claims, decoded.header, {
        "iss": {"essential": True, "value": metadata["issuer"]},
        "aud": {"essential": True, "value": CLIENT_ID},
    }, {"client_id": CLIENT_ID})
    claims.validate()
    assert set(claims) <= set(metadata["claims_supported"]), claims
    return claims


def log_in(client, metadata):
    return client.fetch_token(metadata["token_endpoint"], grant_type="password", username=USERNAME, password=PASSWORD,
                              auth_source_id=AUTH_SOURCE_ID)


def main(method):
    client = session(method)
    metadata = discover(client)
    assert method in metadata["token_endpoint_auth_methods_supported"], metadata
    keys = KeySet.import_key_set(client.get(metadata["jwks_uri"], withhold_token=True).json())

    tokens = log_in(client, metadata)
    id_token = id_token_of(tokens, metadata, keys)

    refreshed = client.refresh_token(metadata["token_endpoint"])
    assert refreshed["access_token"] != tokens["access_token"]
    assert id_token_of(refreshed, metadata, keys)["sub"] == id_token["sub"]

    answer = client.get(metadata["userinfo_endpoint"])
    answer.raise_for_status()
    assert UserInfo(answer.json()).sub == id_token["sub"], answer.text

    introspect = lambda token: client.introspect_token(metadata["introspection_endpoint"], token=token).json()
    shown = introspect(refreshed["access_token"])
    assert shown["active"] and shown["sub"] == id_token["sub"] and shown["iss"] == ISSUER, shown
    assert introspect(refreshed["refresh_token"])["active"]

    revoked = client.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"],
                                  token_type_hint="refresh_token")
    assert revoked.status_code == 200, revoked.text
    for token in (refreshed["refresh_token"], refreshed["access_token"], tokens["access_token"]):
        assert introspect(token) == {"active": False}, token
    assert client.get(metadata["userinfo_endpoint"]).status_code == 401
    try:
        client.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"])
        raise AssertionError("a revoked token was renewed")
    except OAuthError as refused:
        assert refused.error == "invalid_grant", refused

    client.scope = None
    of_its_own = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert "id_token" not in of_its_own and "refresh_token" not in of_its_own, of_its_own
    assert introspect(of_its_own["access_token"])["sub"] == f"client:{CLIENT_ID}"


for each in ("client_secret_basic", "client_secret_post"):
    main(each)
