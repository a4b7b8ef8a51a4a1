"""An OCI image layout: content by its digest, and an index that gives some of it names."""

import hashlib
import json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """A layout in the making."""

    def __init__(self):
        self.blobs = {}
        self.manifests = []

    def blob(self, media_type, content, annotations=None):
        """Takes content in, and describes it."""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        described = {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
        return described | ({"annotations": annotations} if annotations else {})

    def manifest(self, tag, config, layers, **more):
        """Takes a manifest in, under a tag, and describes it."""
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, **more}
        described = self.blob(MANIFEST, encoded(document))
        self.manifests.append(described | {"annotations": {"org.opencontainers.image.ref.name": tag}})
        return described

    def files(self):
        """The whole layout as (name, bytes) pairs, in an order of their own."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}
        yield "oci-layout", encoded({"imageLayoutVersion": "1.0.0"})
        yield "index.json", encoded(index)
        for digest in sorted(self.blobs):
            yield f"blobs/sha256/{digest}", self.blobs[digest]


def encoded(document):
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
