"""An application becomes a server that accepts connections.

granian runs the application in a worker process with several threads while
this process waits for the signal to stop. The worker opens the store for
itself, because a database connection doesn't survive a fork.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from granian import Granian
from granian.constants import Interfaces

from reconciler.server.app import App

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STOP_SECONDS: Final = 5
"""How long running requests may take to end before the worker is killed."""

READY_SECONDS: Final = 30
"""How long the worker may take to accept its first connection."""


def serve(app: App, host: str, port: int, on_ready: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT; call it in the main thread.

    Args:
        app: What `make_app` has made.
        host: Address to listen at.
        port: Port to listen at; 0 for any that is free.
        on_ready: Called once with the server's URL when it accepts connections.

    Raises:
        OSError: When the address can't be listened at.
    """
    with _reserved(host, port) as number:
        server = Granian(
            target="",
            address=host,
            port=number,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=app.settings.threads,
            workers_kill_timeout=STOP_SECONDS,
            websockets=False,
            log_enabled=False,
        )
        stopped = threading.Event()
        waiter = threading.Thread(
            target=_announce, args=(host, number, on_ready, stopped), daemon=True
        )
        server.on_startup(waiter.start)
        app.organizations.disconnect()
        try:
            server.serve(
                target_loader=partial(_load, app.recipe(), os.getpid()),
                wrap_loader=False,
            )
        finally:
            stopped.set()


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """Hold a port that granian may share, and say which it is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if port:
        # Two servers may share a port; a plain bind finds out if one is there.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
        yield holder.getsockname()[1]


def _announce(
    host: str, port: int, on_ready: Callable[[str], object], stopped: threading.Event
) -> None:
    shown = f"[{host}]" if ":" in host else host
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    end = time.monotonic() + READY_SECONDS
    while not stopped.is_set() and time.monotonic() < end:
        try:
            socket.create_connection((reached, port), timeout=1).close()
        except OSError:
            stopped.wait(0.01)
        else:
            on_ready(f"http://{shown}:{port}")
            return


def _load(recipe: "Callable[[], WSGIApplication]", parent: int) -> "WSGIApplication":
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    application = recipe()
    # What was loaded stays; without it the collector would go through it again
    # for every large answer.
    gc.collect()
    gc.freeze()
    return application


def _follow(parent: int) -> None:
    """End the worker when its parent was killed and can't tell it to stop."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
