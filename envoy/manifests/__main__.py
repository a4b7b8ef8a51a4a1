"""python3 envoy/manifests [--check]: writes the manifests for Istio and Envoy Gateway, or tells which ones are not as it would write them.

What repeats is a part, and stands once. `@NAME@` in a template is a value of the file's, or a part: that of a line of its own is
indented as the line is.
"""

import pathlib
import re
import sys

from files import FILES

HERE = pathlib.Path(__file__).resolve().parent
ENVOY = HERE.parent
PLACE = re.compile(r"@([A-Z_]+)@")


def main(check=False):
    written = {ENVOY / name: render(template, values) for name, (template, values) in FILES.items()}
    stray = {path for folder in ("istio", "gateway") for path in (ENVOY / folder).rglob("*.yaml")} - written.keys()
    stale = [path for path, text in written.items() if not path.exists() or path.read_text() != text]
    if check and (stray or stale):
        sys.exit("\n".join(f"{path.relative_to(ENVOY.parent)}: run python3 envoy/manifests" for path in [*stray, *stale]))
    for path in [] if check else stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written[path])


def render(template, values):
    text = (HERE / "templates" / f"{template}.yaml").read_text()
    return "".join(filled(line, values) for line in text.splitlines(keepends=True))


def filled(line, values):
    """A line with its places filled. One that is only a place whose value is empty is left out."""
    place = PLACE.search(line)
    if not place:
        return line
    before, after = line[: place.start()], line[place.end() :]
    text = value(place[1], values)
    if not before.strip(" -") and not after.strip():
        indent = " " * len(before)
        lines = [filled(part, values).rstrip("\n") for part in text.splitlines()]
        inner = "\n".join(lines).splitlines()
        return "".join(f"{before if at == 0 else indent}{part}\n" for at, part in enumerate(inner))
    return before + text + filled(after, values)


def value(name, values):
    if name in values:
        return values[name]
    return (HERE / "parts" / f"{name.lower().replace('_', '-')}.yaml").read_text()


main(*(argument == "--check" for argument in sys.argv[1:]))
