# SPDX-License-Identifier: Apache-2.0
"""Puts mutual TLS around a program that speaks HTTP/2 in clear text only.

A bridge carries bytes and the ends of connections as they come. It knows nothing of HTTP/2, so what
the program sees is what the gateway did.
"""

import asyncio
import contextlib
import ssl
import threading

CHUNK = 1 << 16


def around_client(organisation, gateway):
    """TLS as `organisation` towards the gateway of another organisation."""
    context = ssl.create_default_context(cafile=str(gateway.authority))
    return with_certificate(context, organisation)


def around_server(organisation, gateway):
    """TLS as `organisation` for the gateway of another one, which must show its certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(gateway.authority))
    context.verify_mode = ssl.CERT_REQUIRED
    return with_certificate(context, organisation)


def with_certificate(context, organisation):
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(organisation.folder / "cert.pem", organisation.folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context


class Bridges:
    """Bridges on a thread of their own, until the block of `with` ends."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._run(self._cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def clear_to_tls(self, target_port, host, context):
        """Listens in clear text on a free port, which it returns, and speaks TLS to the target."""
        tls = {"ssl": context, "server_hostname": host}
        return self._run(self._listen(target_port, {}, tls))

    def tls_to_clear(self, target_port, context):
        """Listens under TLS on a free port, which it returns, and speaks clear text."""
        return self._run(self._listen(target_port, {"ssl": context}, {}))

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    async def _cancel(self):
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _listen(self, target_port, inner, outer):
        async def accepted(reader, writer):
            await self._carry(reader, writer, target_port, outer)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0, **inner)
        return server.sockets[0].getsockname()[1]

    async def _carry(self, reader, writer, target_port, outer):
        try:
            onward = await asyncio.open_connection("127.0.0.1", target_port, **outer)
        except OSError:
            writer.transport.abort()
            return
        ways = [asyncio.create_task(copy(reader, onward[1])),
                asyncio.create_task(copy(onward[0], writer))]
        try:
            # One end that is over ends the connection: HTTP/2 has no use for half of one.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, onward[1]):
                end.close()


async def copy(reader, writer):
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
