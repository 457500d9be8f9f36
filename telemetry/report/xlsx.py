"""A report as a spreadsheet: a first sheet to read, and a sheet for each table, with real numbers."""

from __future__ import annotations

from telemetry.report.document import Document


def render_xlsx(document: Document) -> bytes:
    """The whole file. Raises UsageError when XlsxWriter is not installed."""
    raise NotImplementedError
