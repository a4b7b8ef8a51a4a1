"""The forms in which the token endpoint is loaded: which manifests a user applies, with what of his own, and where it answers then."""

import copy
import json
import pathlib
import subprocess

import yaml
from lab import run, until
from registry import IMAGE

MANIFESTS = pathlib.Path(__file__).resolve().parents[2] / "envoy"
# A web client whose tokens are for somebody else: it is in no list of audiences.
OTHER_CLIENT = {
    "id": "OTHER_CLIENT_ID", "type": "web", "secret_hashes": ["$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q"],
    "auth_sources": ["MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID"], "grants": ["password", "refresh_token"],
}


class Form:
    """What all forms have in common: the documents that a user has made his own, and how they change."""

    name: str
    files: list
    grace = 3
    missing_image = f"{IMAGE}:missing"

    def __init__(self, control_plane, registry, keys, broken=None):
        self.control_plane, self.lab, self.cluster = control_plane, control_plane.lab, control_plane.cluster
        self.registry, self.keys, self.proxies = registry, keys, []
        self.documents = [self.owned(document) for file in self.files for document in read(MANIFESTS / file, broken)]
        self.configuration(self.documents)["clients"].append(OTHER_CLIENT)

    def owned(self, document):
        """A manifest with the user's registry and keys."""
        text = json.dumps(document).replace("registry.example.com/token-endpoint:0.1.0", f"{IMAGE}:0.1.0")
        text = text.replace("@REFRESH_KEY@", self.keys.refresh)
        document = json.loads(text)
        if document["kind"] == "RequestAuthentication":
            document["spec"]["jwtRules"][0]["jwks"] = self.keys.public
        return document

    def apply(self, documents=None):
        self.cluster.apply(self.documents if documents is None else documents)

    def changed(self, change):
        """A copy of the documents with another configuration of the filter."""
        documents = copy.deepcopy(self.documents)
        change(self.configuration(documents))
        return documents

    def with_image(self, image):
        return json.loads(json.dumps(self.documents).replace(f"{IMAGE}:0.1.0", image))

    @property
    def target(self):
        return self.target_of(self.proxies[0])

    def log(self):
        return self.proxies[0].log()

    def config_dump(self):
        return self.proxies[0].admin("config_dump?include_eds")

    def statistics(self):
        return self.proxies[0].admin("stats/prometheus")

    def seen(self):
        """What the service has seen."""
        return [json.loads(line) for line in self.lab.log(self.service).splitlines()]

    def is_answering(self):
        return self.target.get("/oauth2/jwks").status == 200

    def fetch_keys(self):
        """Applies what has the keys fetched; False where no file does."""
        return False

    def has_access_log(self):
        """The filter's own words are in the access log."""
        return '"outcome":"issued"' in self.log()

    def lets_in(self):
        return self.target.log_in(self.lab.visitor).status == 200

    def wait(self, seconds=60):
        until(f"{self.name} to answer", self.is_answering, seconds)


def read(file, broken=None):
    text = file.read_text()
    if broken and broken.file == str(file.relative_to(MANIFESTS)):
        text = broken.edited(text)
    return list(yaml.safe_load_all(text))


class Keys:
    """A signing key and a refresh token key, made for this run by the operator's tool."""

    def __init__(self, tool):
        self.signing = run(tool, "generate-key", "--algorithm", "RS256")
        self.refresh = run(tool, "generate-key", "--algorithm", "refresh-token").strip()
        done = subprocess.run([tool, "jwks", "-"], input=self.signing.encode(), stdout=subprocess.PIPE, check=True)
        self.public = done.stdout.decode().strip()
        self.environment = {"TOKEN_ENDPOINT_SIGNING_KEY": self.signing, "TOKEN_ENDPOINT_REFRESH_TOKEN_KEY": self.refresh}
