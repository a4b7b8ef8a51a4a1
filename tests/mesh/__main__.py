"""python3 tests/mesh [OPTIONS]: the manifests under real control planes, in the network that `make test-mesh` prepares.

Builds what is missing, starts the control planes with stock Envoy, applies the manifests as a user would, and tells the stories of
stories.py. It prints a table of forms by stories.
"""

import argparse
import sys
import time

from build import ENVOY_GATEWAY, ISTIO, build, tell
from lab import Lab, go_inside, is_inside

def main():
    arguments = parse()
    if not is_inside():
        tell(f"built in {build():.0f} s")
        go_inside()
    from run import Run

    started = time.monotonic()
    lab = Lab()
    try:
        good = Run(lab, arguments).tell_all()
    finally:
        lab.end(keep=arguments.keep)
    tell(f"run in {time.monotonic() - started:.0f} s" + (f"; logs are in {lab.folder}" if arguments.keep else ""))
    sys.exit(0 if good else 1)


def parse():
    parser = argparse.ArgumentParser(prog="tests/mesh")
    parser.add_argument("--istio", default=next(iter(ISTIO)), choices=ISTIO)
    parser.add_argument("--envoy-gateway", default=next(iter(ENVOY_GATEWAY)), choices=ENVOY_GATEWAY)
    parser.add_argument("--only", default="", help="forms, with commas between them")
    parser.add_argument("--stories", default="", help="stories, with commas between them")
    parser.add_argument("--broken", help="a way of breaking a manifest, which the run must notice: see broken.py")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    return parser.parse_args()


main()
