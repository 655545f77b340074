"""Which document is made from what."""

from pathlib import Path

from cli.documents import listing, stack, topology
from cli.documents.markdown import renewed


def pages(docs: Path) -> dict[Path, str]:
    """Return each document that has a made part, with that part anew; `docs` is their folder.

    Raises:
        ValueError: where a document does not say where its made part begins, or has no place in the list.
    """
    made = {
        docs / "topology.md": topology.document(docs),
        docs / "stack.md": stack.document(),
        docs / "adr" / listing.INDEX: listing.decisions(docs / "adr"),
        docs / listing.INDEX: listing.documents(docs),
    }
    return {file: renewed(file, text) for file, text in made.items()}
