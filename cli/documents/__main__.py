"""Writes the made part of every document: `python -m cli.documents docs`."""

import sys
from pathlib import Path

from cli.documents.pages import pages

for file, text in pages(Path(sys.argv[1])).items():
    file.write_text(text, encoding="utf-8")
