"""Bring the catalogues up to date with the code, and compile them: python -m tests.languages.update

New messages come in untranslated, with those that are gone their translations go. Prints what is missing.
"""

from __future__ import annotations

import sys

from hatch_build import compile_catalogues
from tests.languages.catalogues import PLURALS, ROOT, as_po, catalogue, merged, path_of, said, untranslated


def main() -> None:
    messages = said()
    report = []
    for code in PLURALS:
        new = merged(catalogue(code), messages)
        path_of(code).parent.mkdir(parents=True, exist_ok=True)
        path_of(code).write_text(as_po(new, code), encoding="utf-8")
        missing = untranslated(new)
        report.append(f"{path_of(code).relative_to(ROOT)}: {len(new)} messages, {len(missing)} to translate")
        report += [f"    {message}" for message in missing]
    compile_catalogues(ROOT)
    sys.stdout.write("\n".join(report) + "\n")


if __name__ == "__main__":
    main()
