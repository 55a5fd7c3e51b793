# SPDX-License-Identifier: Apache-2.0
"""Clients and agents of A2A 0.3 and 1.0 talk through two gateways, each in its own version.

Usage: hops.py DRAGOMAN PYTHON PYTHON: interpreters with the SDK of 1.0 and with that of 0.3. Prints
the transcripts and compares them with `expected`.
"""

import contextlib
import difflib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
NEWER = HERE.parent / "a2a-sdk"
CONVERSATION_SECONDS = 60

sys.path.insert(0, str(NEWER))
import gateways  # noqa: E402


class SDK:
    """The agent and the client of one version."""

    def __init__(self, version, python, folder, *binding):
        self.version = version
        self.python = python
        self.folder = folder
        self.binding = binding

    @contextlib.contextmanager
    def agent(self):
        process = subprocess.Popen(
            [self.python, str(self.folder / "agent.py"), *self.binding], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(10)

    def converse(self, url, *options):
        client = subprocess.run(
            [self.python, str(self.folder / "client.py"), url, *self.binding, *options],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=CONVERSATION_SECONDS)
        if client.returncode != 0:
            raise AssertionError(f"{client.stdout}{client.stderr}")
        return client.stdout


def rounds(program, older, newer):
    """Transcripts, each under a line that says who talks to whom."""
    for agent, clients in ((newer, [older]), (older, [older, newer])):
        with agent.agent() as url, tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
            direct = older.converse(url) if agent is older else ""
            with gateways.entrance_and_sidecar(program, folder, url) as (h, _):
                for client in clients:
                    through = client.converse(
                        f"http://127.0.0.1:{h.port}/agents/echo", "--gateway")
                    if client is older and not through.startswith(direct):
                        raise AssertionError("the gateways change the conversation:\n" + direct)
                    yield f"client of {client.version}, agent of {agent.version}\n{through}"


def main():
    program, newer, older = sys.argv[1:]
    transcript = ""
    for part in rounds(
            program, SDK("0.3", older, HERE), SDK("1.0", newer, NEWER, "JSONRPC")):
        print(part, end="", flush=True)
        transcript += part
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
