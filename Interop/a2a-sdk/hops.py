# SPDX-License-Identifier: Apache-2.0
"""The conversation of client.py, first directly with agent.py, then through two gateways.

Usage: hops.py DRAGOMAN. Once in each binding. Prints the transcripts of the second and compares
them with `expected`.
"""

import contextlib
import difflib
import pathlib
import subprocess
import sys
import tempfile

import gateways

HERE = pathlib.Path(__file__).parent
CONVERSATION_SECONDS = 60
BINDINGS = "JSONRPC", "HTTP+JSON"
# What the user and the agent say; none of it may be in a log.
SAID = "Hello to you", "A table for", "book a table"


@contextlib.contextmanager
def agent(binding):
    process = subprocess.Popen(
        [sys.executable, str(HERE / "agent.py"), binding], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def converse(url, *options):
    client = subprocess.run(
        [sys.executable, str(HERE / "client.py"), url, *options], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=CONVERSATION_SECONDS)
    if client.returncode != 0:
        raise AssertionError(f"{client.stdout}{client.stderr}")
    return client.stdout


def middle_leg(h, v):
    """What the two access logs say of the leg between the gateways."""
    for gateway in (h, v):
        for said in SAID:
            if said in gateway.log.read_text():
                raise AssertionError(f"{gateway.log} holds message text: {said}")
    calls = [access for access in v.accesses() if access.get("method")]
    protocols = {access["protocol"] for access in calls}
    peers = {access["peer"] for access in calls}
    return f"{'middle leg':<16}{' '.join(sorted(protocols))} from {' '.join(sorted(peers))}\n"


def round_in(binding):
    """The transcript of a conversation whose both ends speak `binding`."""
    with agent(binding) as url, tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
        direct = converse(url, binding)
        with gateways.entrance_and_sidecar(sys.argv[1], folder, url) as (h, v):
            through = converse(f"http://127.0.0.1:{h.port}/agents/echo", binding, "--gateway")
        transcript = through + middle_leg(h, v)
    print(transcript, end="")
    if not through.startswith(direct):
        raise AssertionError("the gateways change the conversation:\n" + direct)
    return transcript


def main():
    transcript = "".join(round_in(binding) for binding in BINDINGS)
    expected = (HERE / "expected").read_text()
    difference = difflib.unified_diff(
        expected.splitlines(), transcript.splitlines(), "expected", "printed", lineterm="")
    if transcript != expected:
        raise AssertionError("\n".join(difference))


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, subprocess.SubprocessError) as error:
        sys.exit(f"FAILED: {error}")
