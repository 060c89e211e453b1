"""A server process: takes the address, serves, and stops in good order."""

import socket
from pathlib import Path
from types import FrameType

import uvicorn

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.modes import find_mode
from dsocr_jax.serving.app import make_app
from dsocr_jax.serving.service import Service
from dsocr_jax.serving.settings import ServeOptions
from dsocr_jax.weights.checkpoint import LoadedModel, load_model, read_config

#: Most connections that are open at once, those beyond the queue included: they are told to come back later.
MAX_CONNECTIONS = 1024
#: Seconds that answers get to reach their clients when everything else has ended.
FLUSH_SECONDS = 5


class Server(uvicorn.Server):
    """A server that refuses clearly while it finishes what runs.

    On SIGINT or SIGTERM the address stays open, so that those who come are told to go elsewhere; when everything is
    answered, or the time for it is over, the server ends, with status 0. A second signal ends it at once.
    """

    def __init__(self, service: Service):
        settings = uvicorn.Config(
            make_app(service),
            log_level="warning",
            access_log=False,
            lifespan="off",
            limit_concurrency=MAX_CONNECTIONS,
            server_header=False,
            timeout_graceful_shutdown=FLUSH_SECONDS,
        )
        super().__init__(settings)
        self.service = service
        self._told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; unlike uvicorn's own, without raising the signal again in the end."""
        if self._told:
            self.should_exit = self.force_exit = True
        self._told = True
        self.service.stop()

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether it is time to end."""
        if await super().on_tick(counter):
            return True
        if self.service.stopped:
            self.service.end()
            return True
        return False


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything long is begun; connections are refused until the server listens.

    Raises:
        UserError: the address cannot be had.
    """
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot serve at {host}, port {port}: {reason}; choose another --host or --port") from None


def run(checkpoint: Path, host: str, port: int, dtype: str, options: ServeOptions) -> None:
    """Load a model and serve it; what can be wrong is found before the weights are read.

    Args:
        checkpoint: a model folder, or the folder of a training run.
        host, port: where to listen.
        dtype: of the weights.
        options: how it reads.

    Raises:
        UserError: the address cannot be had, there is no such mode, or the model cannot be read.
    """
    find_mode(options.mode, {mode.name: mode for mode in read_config(checkpoint).modes})
    with bind(host, port) as listener:
        serve(load_model(checkpoint, dtype), listener, options)


def serve(loaded: LoadedModel, listener: socket.socket, options: ServeOptions) -> None:
    """Serve until SIGINT or SIGTERM: what runs is finished, who comes is turned away.

    Args:
        loaded: the model.
        listener: of `bind`.
        options: how it reads.

    Raises:
        UserError: there is no such mode or rule.
    """
    service = Service(loaded, options)
    server = Server(service)
    host, port = listener.getsockname()[:2]
    console.print(
        f"serving {options.name} at http://{f'[{host}]' if ':' in host else host}:{port}/v1; Ctrl-C stops", markup=False
    )
    service.start()
    try:
        server.run(sockets=[listener])
    finally:
        service.end()
