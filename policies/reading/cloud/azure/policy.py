"""Policies of API Management: documents of XML, from that of all APIs down to that of one operation.

Elements: https://learn.microsoft.com/azure/api-management/api-management-policies. `<base />` stands for the document of the next
wider scope: operation, API, product, all APIs (https://learn.microsoft.com/azure/api-management/set-edit-policies).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from xml.etree import ElementTree

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

SECTIONS: Final = ("inbound", "backend", "outbound", "on-error")

_DECLARES: Final = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Element:
    """One policy in a document, with the resource that says it."""

    node: ElementTree.Element
    said_by: Resource

    @property
    def name(self) -> str:
        """Return the policy's name."""
        return self.node.tag

    def get(self, attribute: str, default: str = "") -> str:
        """Return an attribute."""
        return self.node.get(attribute, default)

    @property
    def text(self) -> str:
        """Return the text inside."""
        return (self.node.text or "").strip()

    @property
    def children(self) -> tuple["Element", ...]:
        """Return what is directly inside."""
        return tuple(Element(child, self.said_by) for child in self.node)

    def all(self, name: str) -> tuple["Element", ...]:
        """Return everything of a name inside, at any depth."""
        return tuple(Element(child, self.said_by) for child in self.node.iter(name))

    def values(self, path: str) -> tuple[str, ...]:
        """Return the texts of elements at a path: `issuers/issuer`."""
        return tuple((child.text or "").strip() for child in self.node.findall(path))

    def __str__(self) -> str:
        """Name the policy by its resource."""
        return f"<{self.name}> of {self.said_by}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """The policies that one resource gives."""

    resource: Resource

    @cached_property
    def root(self) -> ElementTree.Element:
        """Return the parsed document.

        Raises:
            UnknownValueError: if it is not known, fetched from elsewhere, or no XML.
        """
        written = str(self.resource.at("format", default="xml"))
        if written != "xml":
            raise UnknownValueError(f"{self.resource}: format {written}", "a way to give policies that is not read")
        text = str(self.resource.at("value", default=""))
        if _DECLARES.search(text):
            raise UnknownValueError(f"{self.resource}: value", "XML that declares entities of its own")
        try:
            root = ElementTree.fromstring(text)  # noqa: S314 # without declarations nothing is expanded
        except ElementTree.ParseError as error:
            raise UnknownValueError(f"{self.resource}: value", f"no XML ({error})") from error
        if root.tag != "policies" or {child.tag for child in root} - set(SECTIONS):
            raise UnknownValueError(f"{self.resource}: value", "no document of policies")
        return root

    def section(self, name: str) -> tuple[Element, ...] | None:
        """Return the policies of a section; None where the document does not have it, so that the wider one's hold."""
        found = self.root.findall(name)
        return tuple(Element(child, self.resource) for part in found for child in part) if found else None


def effective(section: str, documents: Sequence[Document]) -> Iterator[Element]:
    """Yield the policies of a section that hold, in their order; `documents` are those of all scopes, the narrowest first.

    Raises:
        UnknownValueError: if a document cannot be read.
    """
    if not documents:
        return
    document, *wider = documents
    own = document.section(section)
    if own is None:
        yield from effective(section, wider)
        return
    for element in own:
        if element.name == "base":
            yield from effective(section, wider)
        else:
            yield element
