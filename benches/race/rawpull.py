"""The ceiling: what a client could do at best that parses nothing and stores nothing.

    rawpull.py PORT USER PASSWORD CA retr|uidl|new COUNT|noop COUNT

`retr` pulls every message with pipelined RETRs, `uidl` the unique-ids alone, `new` the unique-ids
and the last COUNT messages. Prints the seconds from before the connection is made to the end;
Python's own start is not among them. `noop` says instead how long the median of so many single
NOOPs waits for its answer.
"""
import socket
import ssl
import statistics
import sys
import time

WINDOW = 64


def main() -> None:
    port, user, password, ca, what, *count = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    begun = time.perf_counter()
    plain = socket.create_connection(("127.0.0.1", int(port)))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = context.wrap_socket(plain, server_hostname="localhost")
    line(server)
    for command in (f"USER {user}", f"PASS {password}", "STAT"):
        server.sendall(command.encode() + b"\r\n")
        answer = line(server)
        if not answer.startswith(b"+OK"):
            sys.exit(f"{command.split()[0]}: {answer.decode(errors='replace').strip()}")
    messages = int(answer.split()[1])
    if what == "noop":
        print(statistics.median(noop(server) for _ in range(int(*count))), messages, 0)
        return
    commands = [b"UIDL\r\n"] if what != "retr" else []
    if what != "uidl":
        first = messages - int(*count) if what == "new" else 0
        commands += [b"RETR %d\r\n" % number for number in range(first + 1, messages + 1)]
    octets = replies(server, commands)
    server.sendall(b"QUIT\r\n")
    server.close()
    print(time.perf_counter() - begun, messages, octets)


def noop(server: ssl.SSLSocket) -> float:
    begun = time.perf_counter()
    server.sendall(b"NOOP\r\n")
    line(server)
    return time.perf_counter() - begun


def line(server: ssl.SSLSocket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n"):
        received += server.recv(1)
    return received


def replies(server: ssl.SSLSocket, commands: list[bytes]) -> int:
    """Sends commands and counts the ends of their replies; gives how many octets came."""
    end = b"\r\n.\r\n"
    # In front of what is received is the tail of what came before: an end may be cut in two.
    buffer = bytearray(4 + (1 << 18))
    space = memoryview(buffer)[4:]
    sent = done = octets = 0
    while done < len(commands):
        if sent < len(commands) and sent - done <= WINDOW // 2:
            flight = commands[sent:done + WINDOW]
            server.sendall(b"".join(flight))
            sent += len(flight)
        received = server.recv_into(space)
        if received == 0:
            sys.exit("the server hung up")
        octets += received
        done += buffer.count(end, 0, 4 + received)
        buffer[:4] = buffer[received:4 + received]
    return octets


if __name__ == "__main__":
    main()
