"""speedsign certificate: the sign's own key for TLS, and how long certificates are good."""

from __future__ import annotations

import click

from speedsign.cli import LazyGroup

_TOOLS = {
    "request": "speedsign.cli.certificate_request:request",
    "show": "speedsign.cli.certificate_show:show",
}


@click.group(cls=LazyGroup, table=_TOOLS)
def certificate() -> None:
    """The key and certificate by which the broker knows this sign."""
