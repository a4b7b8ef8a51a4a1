"""The registry that the images come from."""

from cluster import KUBERNETES
from lab import run, until

ADDRESS = "10.88.0.1"
PORT = 5000
IMAGE = f"{ADDRESS}:{PORT}/token-endpoint"


class Registry:
    """It forgets all when it stops, so that what was pushed is pushed anew."""

    def __init__(self, lab, layout):
        self.lab, self.layout = lab, layout
        self.start()

    def start(self):
        self.lab.start("registry", KUBERNETES / "crane", "registry", "serve", "--address", f"{ADDRESS}:{PORT}")
        copy = ["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"]
        until("the registry", lambda: run(*copy, f"oci:{self.layout}:0.1.0", f"docker://{IMAGE}:0.1.0") or True)

    def stop(self):
        self.lab.stop("registry")
