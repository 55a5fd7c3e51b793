# SPDX-License-Identifier: Apache-2.0
"""h2spec against a gateway that serves, h2specd against a gateway that calls.

Usage: conformance.py DRAGOMAN PROGRAMS. What the testers print is shown; for each of them the last
line is `NAME: N passed, N failed`.
"""

import contextlib
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "a2a-sdk"))

import bridge  # noqa: E402
import gateways  # noqa: E402

# What each tester has when all of it is run; one that runs fewer has proved nothing.
SERVER_CASES = 147
CLIENT_CASES = 57
TESTER_SECONDS = 600
# What is overwritten on a terminal, and what h2specd says of each listener while it ends.
NOISE = re.compile(r"[^\n]*\r|^accept tcp .*: use of closed network connection\n", re.MULTILINE)
TOTAL = re.compile(r"^(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed$", re.MULTILINE)


def server(dragoman, programs, folder, bridges):
    """Every case of h2spec, the strict ones too, against the port for other gateways."""
    gateway = gateways.Organisation(folder, "server.example")
    tester = gateways.Organisation(folder, "tester.example")
    with gateway.serve(
            dragoman,
            entities=[{"entity": tester.entity, "name": "Tester", "trust": str(tester.authority)}],
            listeners=[{"name": "peers", "kind": "link", "address": f"127.0.0.1:{gateway.port}"}],
            peers=[{"entity": tester.entity}]):
        port = bridges.clear_to_tls(
            gateway.port, gateway.host, bridge.around_client(tester, gateway))
        return outcome("h2spec", SERVER_CASES, [
            programs / "h2spec", "--strict", "--host", "127.0.0.1", "--port", str(port),
            "--path", "/.well-known/agent-card.json"])


def client(dragoman, programs, folder, bridges):
    """Every case of h2specd. Each is a peer of the gateway, and is asked for its agent's card."""
    gateway = gateways.Organisation(folder, "client.example")
    peers = [gateways.Organisation(folder, f"case-{number}.example")
             for number in range(CLIENT_CASES)]
    first = free_ports(CLIENT_CASES)
    ports = [bridges.tls_to_clear(first + number, bridge.around_server(peer, gateway))
             for number, peer in enumerate(peers)]
    call = folder / "call"
    # h2specd adds the URL of the case, http://127.0.0.1:PORT/.
    call.write_text(
        "#!/bin/sh\n"
        "port=${1##*:}\n"
        f"case=$((${{port%/}} - {first}))\n"
        f"exec {shlex.quote(dragoman)} call"
        f" http://127.0.0.1:{gateway.port}/agents/case-$case hello\n")
    call.chmod(0o700)
    with gateway.serve(
            dragoman,
            entities=[{"entity": peer.entity, "name": peer.host, "trust": str(peer.authority)}
                      for peer in peers],
            listeners=[{"name": "apps", "kind": "local",
                        "address": f"127.0.0.1:{gateway.port}", "anonymous": "app"}],
            peers=[{"entity": peer.entity, "connect": f"127.0.0.1:{port}",
                    "agents": [{"name": f"case-{number}", "listeners": ["apps"]}]}
                   for number, (peer, port) in enumerate(zip(peers, ports))]):
        return outcome("h2specd", CLIENT_CASES, [
            programs / "h2specd", "--host", "127.0.0.1", "--from-port", str(first),
            "--exec", str(call)])


def outcome(name, expected, command):
    """Runs a tester, prints what it says and its sum; whether all of its cases passed."""
    tester = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=TESTER_SECONDS)
    said = tester.stdout.decode(errors="replace")
    print(NOISE.sub("", said).strip())
    total = TOTAL.search(said)
    passed = int(total[2]) if total else 0
    # Also what was skipped, or never came to run.
    failed = max(expected, int(total[1]) if total else 0) - passed
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    return failed == 0


def free_ports(count):
    """The first of so many ports in a row that nothing listens on."""
    for first in range(20_000, 32_000, count):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise AssertionError(f"no {count} ports in a row are free")


def main():
    dragoman, programs = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="dragoman-") as name, bridge.Bridges() as bridges:
        folder = pathlib.Path(name)
        results = [part(dragoman, programs, folder, bridges) for part in (server, client)]
    return all(results)


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"FAILED: {error}")
