"""What stands between client and server where distance or another server is to be measured.

    proxy.py delay TARGET RTT_MS          a distance
    proxy.py no-pipelining TARGET CERT KEY   TLS in front, and CAPA without PIPELINING

Prints the port of 127.0.0.1 on which it listens, and serves until it is killed.

The distance delays each direction by half a round trip, whatever else is on its way, so that
what is pipelined stays so. The three-way handshake takes its round trip too, although on
loopback the client's connect() returns at once. Loss, slow start and delayed acknowledgements
are not modelled.
"""
import asyncio
import queue
import socket
import ssl
import sys
import threading
import time

CHUNK = 1 << 16


def delay(target: int, rtt: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    announce(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        threading.Thread(target=connect, args=(client, target, rtt), daemon=True).start()


def connect(client: socket.socket, target: int, rtt: float) -> None:
    begun = time.perf_counter()
    server = socket.create_connection(("127.0.0.1", target))
    for one in (client, server):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The client may send behind the second packet of the handshake, the server behind the third.
    carry(client, server, rtt / 2, begun + 1.5 * rtt)
    carry(server, client, rtt / 2, begun + 2 * rtt)


def carry(source: socket.socket, target: socket.socket, after: float, not_before: float) -> None:
    """Carries octets one way: one thread notes when they came, another sends when it is time."""
    under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def receive() -> None:
        octets = b"-"
        while octets:
            try:
                octets = source.recv(CHUNK)
            except OSError:
                octets = b""
            under_way.put((max(time.perf_counter() + after, not_before), octets))

    def send() -> None:
        while True:
            due, octets = under_way.get()
            sleep_until(due)
            try:
                if not octets:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(octets)
            except OSError:
                return

    for work in (receive, send):
        threading.Thread(target=work, daemon=True).start()


def sleep_until(due: float) -> None:
    """Sleeps, and spins at the end: a thousand round trips add up what a timer is late."""
    while (left := due - time.perf_counter()) > 0:
        if left > 0.0003:
            time.sleep(left - 0.0002)


async def no_pipelining(target: int, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(client, to_server, False), pump(server, to_client, True))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    announce(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, strip: bool) -> None:
    try:
        while octets := await source.read(CHUNK):
            if strip and len(octets) < 1000:
                octets = octets.replace(b"\r\nPIPELINING\r\n", b"\r\n")
            target.write(octets)
            await target.drain()
    except OSError:
        pass
    target.close()


def announce(port: int) -> None:
    print(port, flush=True)


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "delay":
        delay(port, float(sys.argv[3]) / 1000)
    else:
        asyncio.run(no_pipelining(port, sys.argv[3], sys.argv[4]))
