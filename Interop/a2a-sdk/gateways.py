# SPDX-License-Identifier: Apache-2.0
"""Two gateways of two organisations on this machine: keys, configurations, processes.

The certificates come from the `openssl` program, so that the gateways prove themselves with what
another implementation issued, and trust nothing but what their configurations list.
"""

import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import time

START_SECONDS = 10
STOP_SECONDS = 12


class Organisation:
    """An entity with an authority of its own, a certificate, a configuration and a gateway."""

    def __init__(self, folder, host):
        self.entity = f"https://{host}"
        self.host = host
        self.folder = pathlib.Path(folder) / host
        self.folder.mkdir()
        self.authority = self.folder / "ca.pem"
        self.port = free_port()
        self.log = self.folder / "access.log"
        self.certify()

    def certify(self):
        key = "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"
        self.openssl("req", "-x509", "-newkey", *key, "-days", "30", "-keyout", "ca.key",
                     "-out", "ca.pem", "-subj", f"/CN={self.host} CA",
                     "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.openssl("req", "-newkey", *key, "-keyout", "key.pem", "-out", "request.pem",
                     "-subj", f"/CN={self.host}")
        (self.folder / "leaf.cnf").write_text(
            "basicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=serverAuth,clientAuth\n"
            "subjectKeyIdentifier=hash\n"
            "authorityKeyIdentifier=keyid\n"
            f"subjectAltName=URI:{self.entity},DNS:{self.host}\n")
        self.openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "30", "-extfile", "leaf.cnf", "-out", "cert.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    @contextlib.contextmanager
    def serve(self, program, **configuration):
        path = self.folder / "dragoman.json"
        path.write_text(json.dumps(configuration | {
            "entity": self.entity,
            "name": self.host,
            "data": "data",
            "identity": {"certificate": "cert.pem", "key": "key.pem"},
            "log": {"access": "access.log"},
        }, indent=2))
        errors = self.folder / "stderr.log"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen(
                [program, "serve", "--config", str(path)], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        try:
            wait_for(self.port, process, errors)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                status = process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                status = "none: it did not stop and was killed"
        if status != 0:
            raise AssertionError(f"{self.host} ended with status {status}\n{errors.read_text()}")

    def accesses(self):
        """The lines of the access log; each must be JSON by itself."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextlib.contextmanager
def entrance_and_sidecar(program, folder, agent_url):
    """A client's entrance H and a sidecar V in front of the agent; yields both.

    This is the one place that knows what a configuration looks like.
    """
    h = Organisation(folder, "phone.example")
    v = Organisation(folder, "inn.example")
    with v.serve(
            program,
            entities=[{"entity": h.entity, "name": "Phone", "trust": str(h.authority)}],
            listeners=[{"name": "peers", "kind": "link", "address": f"127.0.0.1:{v.port}"}],
            peers=[{"entity": h.entity}],
            agents=[{"name": "echo", "url": agent_url, "listeners": ["peers"]}]), \
        h.serve(
            program,
            entities=[{"entity": v.entity, "name": "Inn", "trust": str(v.authority)}],
            listeners=[{"name": "apps", "kind": "local", "address": f"127.0.0.1:{h.port}",
                        "anonymous": "app"}],
            peers=[{"entity": v.entity, "connect": f"127.0.0.1:{v.port}",
                    "agents": [{"name": "echo", "listeners": ["apps"]}]}]):
        yield h, v


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, process, errors):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"no gateway on port {port}\n{errors.read_text()}")
