"""Runs one program and measures it: wall, CPU, memory, and calls that wait for the disk.

The kernel counts into a program's largest memory what the process that started it held at
that moment. So this file is also a program, small and without imports, that starts the one to
be measured, waits for it with wait4 (which, unlike a wait with a time-out in Python, does not
look only every 50 ms), and writes down what it found.
"""
import os
import sys

FSYNC_LIKE = ("fsync", "fdatasync", "sync", "syncfs", "msync")


class Run:
    """What one run took."""

    def __init__(self, wall: float, cpu: float, memory: float, status: int, output: str):
        self.wall = wall        # seconds, from start to exit
        self.cpu = cpu          # seconds, user and system, children too
        self.memory = memory    # MiB, the largest process
        self.status = status    # of exit; negative: the signal that ended it
        self.output = output    # both streams


def run(argv: list[str], timeout: int, env: dict[str, str] | None = None) -> Run:
    """Runs a program; after `timeout` seconds it is killed."""
    import signal
    import subprocess
    import tempfile

    with tempfile.NamedTemporaryFile("r") as report:
        # -I and -S: nothing of the user's, and as little memory as Python can do with.
        launcher = [sys.executable, "-I", "-S", __file__, report.name, str(timeout), *argv]
        process = subprocess.Popen(launcher, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=env, start_new_session=True)
        try:
            output = process.communicate()[0].decode(errors="replace")
        except BaseException:
            # Nothing that was started outlives an interrupt.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        figures = report.read().split()
        if len(figures) != 4:
            raise RuntimeError(f"{argv[0]} could not be started: {output}")
        wall, cpu, kib, status = figures
        return Run(float(wall), float(cpu), int(kib) / 1024, int(status), output)


def fsync_like_calls(argv: list[str], timeout: int, env: dict[str, str] | None = None) -> tuple[Run, dict[str, int]]:
    """Runs a program under strace; how often it asked for something to be made durable."""
    import tempfile

    with tempfile.NamedTemporaryFile("r") as table:
        strace = ["strace", "-f", "-c", "-U", "calls,name", "-o", table.name,
                  "-e", "trace=" + ",".join(FSYNC_LIKE)]
        done = run(strace + argv, timeout, env)
        calls = dict.fromkeys(FSYNC_LIKE, 0)
        for line in table:
            words = line.split()
            if len(words) == 2 and words[1] in calls:
                calls[words[1]] = int(words[0])
        return done, calls


def launch(report: str, timeout: int, argv: list[str]) -> None:
    import signal
    import time

    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error}\n".encode())
            os._exit(127)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(timeout)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    with open(report, "w") as file:
        cpu = usage.ru_utime + usage.ru_stime
        file.write(f"{wall} {cpu} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    launch(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
