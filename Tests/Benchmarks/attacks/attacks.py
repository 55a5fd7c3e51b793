# SPDX-License-Identifier: Apache-2.0
"""What attacks over HTTP/2 cost a gateway, and what another peer notices of them.

Usage: attacks.py DRAGOMAN. Prints a line for each attack and ends with status 1 when one of them
costs more than is allowed. PYTHONPATH names the folder of gateways.py.
"""

import os
import pathlib
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time

import gateways

# What one attack may cost: processor time, memory, and the longest wait of a bystander.
CPU_SECONDS = 0.5
MEMORY_MIB = 16
WAIT_MILLISECONDS = 100
CONNECTIONS = 20
# Far more than any connection is let to send.
UNITS = 20_000
CHUNK = 1 << 14

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, payload=b"", flags=0, stream=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A field that does not enter the table; names and values are short (RFC 7541 §6.2.2)."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


HEAD = b"".join(literal(name, value) for name, value in [
    (b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"server.example"),
    (b":path", b"/.well-known/agent-card.json")])
GREETING = PREFACE + frame(SETTINGS) + frame(SETTINGS, flags=ACK)


def request(stream, block=HEAD, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, block, flags, stream)


def word(number):
    return struct.pack(">I", number)


# The field that one octet repeats: 4,000 octets of value, in the table as number 62.
LENGTH = b"\x7f" + bytes([(4000 - 127) % 128 | 128, (4000 - 127) // 128])
BOMB = HEAD + b"\x40\x01x" + LENGTH + b"a" * 4000

# Name, what is sent once, what is sent for each number.
ATTACKS = [
    ("rapid reset", b"", lambda n: request(2 * n + 1) + frame(RESET, word(8), 0, 2 * n + 1)),
    ("reset made by us", b"", lambda n: (
        request(2 * n + 1, flags=END_HEADERS) + frame(WINDOW, word(0x7FFFFFFF), 0, 2 * n + 1))),
    ("malformed requests", b"", lambda n: request(2 * n + 1, HEAD + literal(b"X", b"y"))),
    ("CONTINUATION", request(1, flags=0), lambda n: frame(CONTINUATION, b"", 0, 1)),
    ("HPACK bomb", request(1, BOMB), lambda n: request(2 * n + 3, HEAD + b"\xbe" * 8000)),
    ("many fields", b"", lambda n: request(2 * n + 1, HEAD + literal(b"x", b"y") * 2000)),
    ("empty DATA", request(1, flags=END_HEADERS), lambda n: frame(DATA, b"", 0, 1)),
    ("PING", b"", lambda n: frame(PING, b"12345678")),
    ("SETTINGS", b"", lambda n: frame(SETTINGS)),
    ("PRIORITY", b"", lambda n: frame(PRIORITY, word(0) + b"\x10", 0, 1)),
    ("WINDOW_UPDATE", b"", lambda n: frame(WINDOW, word(1))),
    ("unknown frames", b"", lambda n: frame(0xFA, b"x")),
]


class Attack:
    """One attack over so many connections, one after the other."""

    def __init__(self, name, before, unit):
        self.name = name
        self.payload = GREETING + before + b"".join(unit(n) for n in range(UNITS))
        self.cut = self.refused = self.served = 0

    def run(self, port, context):
        for _ in range(CONNECTIONS):
            answer = self.once(port, context)
            if not answer:
                self.refused += 1
            elif answer is True:
                self.served += 1
            else:
                self.cut += 1

    def once(self, port, context):
        """What came back before the connection was cut; True if it was not."""
        answer = b""
        try:
            with connect(port, context) as link:
                answer += link.recv(CHUNK)
                for start in range(0, len(self.payload), CHUNK):
                    link.sendall(self.payload[start:start + CHUNK])
                while part := link.recv(CHUNK):
                    answer += part
        except TimeoutError:
            return True
        except OSError:
            pass
        return answer


class Bystander(threading.Thread):
    """Asks for the same thing over one connection until it is stopped."""

    def __init__(self, port, context):
        super().__init__()
        self.link = connect(port, context)
        self.link.sendall(GREETING)
        self.buffer = b""
        self.stream = 1
        self.longest = 0.0
        self.failed = 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.005):
            start = time.monotonic()
            try:
                self.ask()
            except OSError:
                self.failed += 1
                return
            self.longest = max(self.longest, time.monotonic() - start)

    def ask(self):
        self.link.sendall(request(self.stream))
        while True:
            kind, flags, stream, payload = self.frame()
            if kind == DATA:
                self.link.sendall(frame(WINDOW, word(max(1, len(payload)))))
            if stream == self.stream and kind in (HEADERS, DATA) and flags & END_STREAM:
                self.stream += 2
                return

    def frame(self):
        while len(self.buffer) < 9 or len(self.buffer) < 9 + self.length():
            part = self.link.recv(CHUNK)
            if not part:
                raise ConnectionError("closed")
            self.buffer += part
        size = 9 + self.length()
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:size], self.buffer[size:]
        return kind, flags, stream, payload

    def length(self):
        return int.from_bytes(self.buffer[:3], "big")

    def stop(self):
        self.stopped.set()
        self.join()
        self.link.close()


def connect(port, context):
    link = socket.create_connection(("127.0.0.1", port), 5)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(link, server_hostname="server.example")


def tls(organisation, gateway):
    context = ssl.create_default_context(cafile=str(gateway.authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(organisation.folder / "cert.pem", organisation.folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context


def processor(pid):
    """Seconds of processor time so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MiB that the process holds."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def measure(attack, gateway, pid, attacker, bystander):
    witness = Bystander(gateway.port, bystander)
    witness.ask()
    idle = processor(pid), time.monotonic()
    witness.start()
    time.sleep(1)
    # What the bystander alone costs is not the attack's.
    share = (processor(pid) - idle[0]) / (time.monotonic() - idle[1])
    witness.longest = 0.0
    before = processor(pid), memory(pid), time.monotonic()
    attack.run(gateway.port, attacker)
    seconds = time.monotonic() - before[2]
    cost = max(0.0, processor(pid) - before[0] - share * seconds)
    grown = max(0.0, memory(pid) - before[1])
    witness.stop()
    wait = witness.longest * 1000
    good = (cost <= CPU_SECONDS and grown <= MEMORY_MIB and wait <= WAIT_MILLISECONDS
            and witness.failed == 0 and attack.served == 0)
    print(f"{attack.name:<20}{attack.cut:>4} cut {attack.refused:>3} refused {cost:>6.2f} CPU-s"
          f" {grown:>5.1f} MiB {wait:>6.1f} ms{'' if good else '   TOO MUCH'}", flush=True)
    return good


def main():
    with tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
        gateway = gateways.Organisation(folder, "server.example")
        bystander = gateways.Organisation(folder, "bystander.example")
        attackers = [gateways.Organisation(folder, f"attacker-{number}.example")
                     for number in range(len(ATTACKS))]
        peers = [bystander, *attackers]
        with gateway.serve(
                sys.argv[1],
                entities=[{"entity": peer.entity, "name": peer.host, "trust": str(peer.authority)}
                          for peer in peers],
                listeners=[{"name": "peers", "kind": "link",
                            "address": f"127.0.0.1:{gateway.port}"}],
                peers=[{"entity": peer.entity} for peer in peers]) as process:
            results = [
                measure(Attack(*attack), gateway, process.pid, tls(attacker, gateway),
                        tls(bystander, gateway))
                for attack, attacker in zip(ATTACKS, attackers)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return all(results)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
