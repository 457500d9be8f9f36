"""A report as PDF for printing and for the council's web page: tagged (PDF/UA-1), set by typst."""

from __future__ import annotations

from telemetry.report.document import Document


def render_pdf(document: Document) -> bytes:
    """The whole PDF, A4. Raises UsageError when typst is not installed."""
    raise NotImplementedError
