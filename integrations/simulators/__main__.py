"""`python -m integrations.simulators NAME --port 8801`: serve one simulated CRM."""

import argparse
import gc
import signal
import sys
import threading

from integrations.simulators import SIMULATORS, load
from integrations.simulators.server import SimulatorServer


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m integrations.simulators")
    commands = parser.add_subparsers(dest="name", required=True)
    for name in SIMULATORS:
        command, flags_of = load(name), commands.add_parser(name)
        flags_of.add_argument("--host", default="127.0.0.1")
        flags_of.add_argument(
            "--port", type=int, default=command.port, help="0 = any free one"
        )
        flags_of.add_argument("--data", help="folder that keeps the records")
        flags_of.add_argument("--fresh", action="store_true", help="start empty")
        command.add_flags(flags_of)
    flags = parser.parse_args(arguments)
    try:
        simulator = load(flags.name).simulator(flags)
    except ValueError as error:
        parser.error(str(error))
    # Records live for ever: let the collector look at them seldom.
    gc.set_threshold(100_000, 50, 100)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = SimulatorServer(
        simulator, host=flags.host, port=flags.port, clock=simulator.clock
    )
    server.start()
    sys.stdout.write(f"{flags.name} simulator on {server.url}\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    simulator.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
