"""`reconciler serve`."""

import os
import secrets
from pathlib import Path

import click

from reconciler.cli.common import failures
from reconciler.pipeline import serving, workspaces
from reconciler.settings import ServerKey


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port to listen at; 0 takes any that is free.",
)
@click.option(
    "--db",
    metavar="URL",
    help="Store to serve, such as sqlite:///runs.db; default: the store of "
    "`remote: local`.",
)
@click.option(
    "--task-seconds",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="How long tasks are reported as in progress, to try clients against a "
    "slow remote.",
)
@click.option(
    "--strict-labelbox",
    "strict",
    is_flag=True,
    help="Where Labelbox's behaviour isn't documented, take the harshest reading, and "
    "the lowest documented quotas: what works here needs no luck there.",
)
@click.option(
    "--no-fetch",
    "fetch",
    flag_value=False,
    default=True,
    help="Refuse imports that name a URL instead of bringing their file.",
)
def command(
    *,
    host: str,
    port: int,
    db: str | None,
    task_seconds: float,
    strict: bool,
    fetch: bool,
) -> None:
    """Serve Labelbox's API from a store of your own.

    Prints `listening on URL` when it is ready; give that URL to LABELBOX_ENDPOINT,
    or with `/graphql` added to the SDK's `endpoint`. Keys are taken from
    RECONCILER_SERVER_API_KEYS; without it a key is made once and kept in a file
    whose path is printed.

    Keys are separated by commas. `KEY;organization=NAME` opens an organization of
    its own, which is kept in a store beside the one that is served; `;access=read`
    makes a key that may only read and export.

    An import of annotations may name a URL. The server then fetches it from where
    it runs, which may be a network that the client can't reach, and the client can
    read what was fetched. Addresses at which clouds keep their secrets are never
    asked; --no-fetch asks none at all.
    """
    if db is not None and "://" not in db:
        raise click.UsageError(f"--db {db}: write it as sqlite:///{db}")
    with failures("serve", output="text", color=None) as settings:
        home = workspaces.home_here(Path.cwd(), settings)
        keys = settings.server_keys or {_kept_key(home): ServerKey()}
        try:
            serving.serve(
                home,
                db=db,
                keys=keys,
                host=host,
                port=port,
                task_seconds=task_seconds,
                strict=strict,
                fetch=fetch,
                on_ready=lambda url: click.echo(f"listening on {url}"),
            )
        except OSError as error:
            raise click.ClickException(
                f"can't listen on {host}:{port}: {error.strerror or error}"
            ) from error


def _kept_key(home: Path) -> str:
    file = home / "server.key"
    home.mkdir(parents=True, exist_ok=True)
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = file.read_text(encoding="ascii").strip()
        if not key:
            raise click.ClickException(
                f"{file} holds no key; remove it, and a new one is made"
            ) from None
    else:
        key = secrets.token_urlsafe(32)
        with os.fdopen(opened, "w", encoding="ascii") as writing:
            writing.write(f"{key}\n")
    click.echo(f"the API key is in {file}", err=True)
    return key
