"""The ceiling for many mailboxes: several threads that log in to one after another and store nothing.

    rawfleet.py PORT PASSWORD CA retr|uidl CONNECTIONS ACCOUNTS

Prints the seconds from the first connection to the last end; Python's own start is not among them.
TLS sessions are not resumed, as mpop does not either.
"""
import os
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
import rawpull


def main() -> None:
    port, password, ca, what, connections, accounts = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    numbers = iter(range(int(accounts)))
    turn = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not failures:
                with turn:
                    number = next(numbers, None)
                if number is None:
                    return
                visit(context, int(port), f"user{number:05}", password, what)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(int(connections))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"a session failed: {failures[0]}")
    print(time.perf_counter() - begun)


def visit(context: ssl.SSLContext, port: int, user: str, password: str, what: str) -> None:
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_hostname="localhost") as server:
        answer(server)
        # The server pipelines.
        server.sendall(f"USER {user}\r\nPASS {password}\r\n".encode())
        answers(server, 2)
        server.sendall(b"STAT\r\n")
        messages = int(answer(server).split()[1])
        commands = [b"UIDL\r\n"]
        if what == "retr":
            commands += [b"RETR %d\r\n" % number for number in range(1, messages + 1)]
        rawpull.replies(server, commands)
        server.sendall(b"QUIT\r\n")
        answer(server)


def answer(server: ssl.SSLSocket) -> bytes:
    return answers(server, 1)


def answers(server: ssl.SSLSocket, count: int) -> bytes:
    received = b""
    while received.count(b"\r\n") < count:
        part = server.recv(4096)
        if not part:
            raise OSError("the server hung up")
        received += part
    if not all(line.startswith(b"+OK") for line in received.splitlines()):
        raise OSError(received.decode(errors="replace"))
    return received


if __name__ == "__main__":
    main()
