"""Measures logins per second of one saturated worker against what their hashes and signatures allow.

Each round measures on the same worker, one after the other: a password check and a signature alone, in the VM
(probe_vm.rs), and logins; and beside them the same hash and signature as machine code.
"""

import json
import re
import statistics
import subprocess
import time

import gateway
import load

ROUNDS = 5
SECONDS = 6
CONNECTIONS = 8


def main():
    native_probe = gateway.build("probe_native")
    vm_probe = gateway.build_vm("probe_vm")
    gateway.set_a_core_apart()
    with gateway.Gateway(configuration(vm_probe)) as envoy:
        warm_up(envoy)
        rounds = [measure(envoy, native_probe) for _ in range(ROUNDS)]
    report({name: statistics.median(each[name] for each in rounds) for name in rounds[0]})


def configuration(vm_probe):
    filters = [
        gateway.token_endpoint(gateway.document(**gateway.PACING), disabled=True),
        gateway.wasm_filter("probe", vm_probe, gateway.PASSWORD_HASH, disabled=True),
    ]
    routes = [gateway.TOKEN_ROUTE, gateway.route("/probe", "probe", status=404)]
    return gateway.bootstrap(gateway.public_listener("gateway", filters, routes))


def warm_up(envoy):
    """V8 compiles what runs often."""
    load.run(envoy.url("/oauth2/token"), 3, CONNECTIONS, form=gateway.LOGIN)
    probe_vm(envoy)


def measure(envoy, native_probe):
    hash_vm, signature_vm = probe_vm(envoy)
    requests = load.Load(envoy.url("/oauth2/token"), SECONDS, CONNECTIONS, form=gateway.LOGIN)
    time.sleep(1)
    with envoy.watch_worker() as watch:
        time.sleep(SECONDS - 2)
    result = requests.result()
    assert list(result.milliseconds) == [200], result.statuses()
    lines = subprocess.check_output([native_probe], text=True).split()
    return {
        "hash_vm": hash_vm,
        "signature_vm": signature_vm,
        "login": result.per_second() / (watch["had"] / watch["wall"]),
        "kept": watch["kept"] / watch["wall"],
        "hash_native": statistics.median(map(float, lines)),
        "signature_native": native_signature(),
    }


def probe_vm(envoy):
    """Seconds of a check and of a signature by the host, by the time that the worker had its core, as for logins: a
    limit with other programs' time in it would be too easy."""
    with envoy.watch_worker() as watch:
        answers = [json.loads(envoy.get("/probe")) for _ in range(10)]
    checks, signatures = zip(*answers)
    all_seconds = sum(checks) + sum(signatures)
    share = 1 - watch["kept"] / all_seconds
    return [share * statistics.mean(checks), share * statistics.median(signatures)]


def native_signature():
    """Seconds of a signature, as OpenSSL measures it."""
    text = subprocess.check_output(["openssl", "speed", "-seconds", "1", "rsa2048"], text=True, stderr=subprocess.DEVNULL)
    return 1 / float(re.search(r"rsa *2048 bits +\S+ +\S+ +([0-9.]+)", text)[1])


def report(found):
    limit = 1 / (found["hash_vm"] + 2 * found["signature_vm"])
    native = 1 / (found["hash_native"] + 2 * found["signature_native"])
    gateway.table(
        ["one saturated worker", "per second", "limit of its hash and signatures", "ratio", "native limit", "ratio"],
        ["logins", f"{found['login']:.1f}", *against(found["login"], limit), *against(found["login"], native)],
    )
    print()
    gateway.table(
        ["ms", "in the VM", "native", "ratio"],
        parts("Argon2id, m=19456, t=2, p=1", found["hash_vm"], found["hash_native"]),
        parts("RS256, 2048 bits (in the VM: by the host)", found["signature_vm"], found["signature_native"]),
    )
    print(
        f"\nMedians of {ROUNDS} rounds, by the time that the worker had its core "
        f"(other programs had it {found['kept']:.0%} of the time while logins ran)."
    )


def against(measured, limit):
    return [f"{limit:.1f}", f"**{measured / limit:.2f}**"]


def parts(name, vm, native):
    return [name, f"{vm * 1e3:.2f}", f"{native * 1e3:.2f}", f"{vm / native:.2f}"]


if __name__ == "__main__":
    main()
