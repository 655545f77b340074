"""APIs of API Management: which requests each operation takes, whose keys open it, which policies hold for it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.ids import APIM, below, last, part, target
from policies.reading.cloud.azure.policy import Document
from policies.reading.patterns import Pattern, parse
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

SERVICE: Final = f"{APIM}ApiManagementService"
API: Final = f"{APIM}Api"
OPERATION: Final = f"{APIM}ApiOperation"
PRODUCT: Final = f"{APIM}Product"
VERSION_SET: Final = f"{APIM}ApiVersionSet"
SUBSCRIPTION: Final = f"{APIM}Subscription"
BACKEND: Final = f"{APIM}Backend"

KEY_HEADER: Final = "ocp-apim-subscription-key"
"""Where a key is looked for unless an API says otherwise (https://learn.microsoft.com/azure/api-management/api-management-subscriptions)."""

KEY_PARAMETER: Final = "subscription-key"

_POLICIES: Final = {"ApiPolicy": ("apiId",), "ApiOperationPolicy": ("apiId", "operationId"), "ProductPolicy": ("productId",)}
_PARAMETER: Final = re.compile(r"\{(\w[\w-]*)\}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Product:
    """A product: APIs whose keys are given out together."""

    resource: Resource
    name: str
    keyed: bool
    """Without it the APIs are open to everybody."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One operation: requests, and the documents that hold for them."""

    api: "Api"
    resource: Resource
    name: str
    method: str
    """`*` for every method."""
    pattern: Pattern
    """As clients ask for it."""
    documents: tuple[Document, ...]
    """Policies, the narrowest scope first."""

    def __str__(self) -> str:
        """Name the operation by its API."""
        return f"operation {self.api.name}/{self.name}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Api:
    """One API, in one version."""

    resource: Resource
    name: str
    prefix: str
    """How its paths begin: `/partners/v1`, empty for the root; a version in the path included."""
    headers: tuple[tuple[str, str], ...]
    """The header that tells its version."""
    keyed: bool
    key_header: str
    key_parameter: str
    products: tuple[Product, ...]
    operations: tuple[Operation, ...] = ()

    @property
    def locked(self) -> bool:
        """Say whether nobody comes in without a key: the API asks for one, and no product is open."""
        return self.keyed and all(product.keyed for product in self.products)


def apis(stack: "Stack", service: Resource) -> tuple[Api, ...]:
    """Return the APIs of a service, those with the longest paths first: so API Management chooses.

    Raises:
        UnknownValueError: if one cannot be read.
    """
    widest = [Document(resource=each) for each in below(stack, service, f"{APIM}Policy", "serviceName")]
    if len(widest) != 1:
        how = "said twice" if widest else "not in the program; Azure's own sends every request on"
        raise UnknownValueError(str(service), f"a service whose policy of all APIs is {how}")
    parts = _Parts(stack, service)
    found = [_api(parts, resource, widest) for resource in below(stack, service, API, "serviceName")]
    return tuple(sorted(found, key=lambda api: (len([step for step in api.prefix.split("/") if step]), len(api.headers)), reverse=True))


class _Parts:
    """Operations, policies and products of a service, by what they name."""

    def __init__(self, stack: "Stack", service: Resource) -> None:
        self.stack = stack
        self.operations: defaultdict[str, list[Resource]] = defaultdict(list)
        self.links: defaultdict[str, list[Resource]] = defaultdict(list)
        self._policies: defaultdict[tuple[str, ...], list[Resource]] = defaultdict(list)
        for kind, found in ((OPERATION, self.operations), (f"{APIM}ProductApi", self.links)):
            for resource in below(stack, service, kind, "serviceName"):
                found[last(resource.at("apiId")).lower()].append(resource)
        for kind, fields in _POLICIES.items():
            for resource in below(stack, service, f"{APIM}{kind}", "serviceName"):
                self._policies[kind, *(last(resource.at(field)).lower() for field in fields)].append(resource)
        self.products = {str(each.at("productId")).lower(): each for each in below(stack, service, PRODUCT, "serviceName")}

    def documents(self, kind: str, *names: str) -> list[Document]:
        """Return the policies of a scope: none, or one.

        Raises:
            UnknownValueError: if there are several.
        """
        found = self._policies.get((kind, *map(str.lower, names)), [])
        if len(found) > 1:
            raise UnknownValueError(f"{found[0]} and {found[1]}", "policies of the same scope: which one holds is not known")
        return [Document(resource=each) for each in found]


def _api(parts: _Parts, resource: Resource, widest: list[Document]) -> Api:
    name = str(resource.at("apiId", default=""))
    kind = str(resource.at("apiType", default=None) or resource.at("type", default=None) or "http")
    if kind != "http":
        raise UnknownValueError(f"{resource}: {kind}", "a kind of API that is not followed")
    if resource.props.get("format") is not None or resource.props.get("value") is not None:
        raise UnknownValueError(
            f"{resource}: value", "a document of which the operations are made, beside or in the place of the program's"
        )
    prefix, headers = _versioned(parts.stack, resource)
    names = mapping(resource.at("subscriptionKeyParameterNames", default={}))
    products = _products(parts, name)
    bare = Api(
        resource=resource,
        name=name,
        prefix=prefix,
        headers=headers,
        keyed=bool(resource.at("subscriptionRequired", default=True)),
        key_header=str(names.get("header") or KEY_HEADER).lower(),
        key_parameter=str(names.get("query") or KEY_PARAMETER).lower(),
        products=products,
    )
    wider = [*parts.documents("ApiPolicy", name), *_of_products(parts, products), *widest]
    return replace(bare, operations=tuple(_operation(parts, bare, each, wider) for each in parts.operations[name.lower()]))


def _versioned(stack: "Stack", resource: Resource) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return how an API's paths begin, and the header that tells its version."""
    path = "/".join(step for step in str(resource.at("path", default="")).split("/") if step)
    prefix, version = f"/{path}" if path else "", str(resource.at("apiVersion", default=""))
    reference = resource.props.get("apiVersionSetId")
    if reference is None or not version:
        return prefix, ()
    versions = target(stack, resource, "apiVersionSetId", reference, VERSION_SET)
    if versions is None:
        raise UnknownValueError(f"{resource}: apiVersionSetId", "a set of versions that the program does not have")
    match str(versions.at("versioningScheme")):
        case "Segment":
            return f"{prefix}/{version}", ()
        case "Header":
            return prefix, ((str(versions.at("versionHeaderName")).lower(), version),)
        case scheme:
            raise UnknownValueError(f"{versions}: {scheme}", "a way to tell versions that is not followed")


def _products(parts: _Parts, api: str) -> tuple[Product, ...]:
    found: list[Product] = []
    for link in parts.links[api.lower()]:
        name = str(link.at("productId"))
        product = parts.products.get(name.lower())
        if product is None:
            raise UnknownValueError(f"{link}: productId {name}", "a product that the program does not have")
        keyed = bool(product.at("subscriptionRequired", default=True))
        found.append(Product(resource=product, name=str(product.at("productId")), keyed=keyed))
    return tuple(found)


def _of_products(parts: _Parts, products: tuple[Product, ...]) -> list[Document]:
    """Return the policies of an API's products; which product a request comes by is the client's choice, so none may say anything."""
    found = [document for product in products for document in parts.documents("ProductPolicy", product.name)]
    if found:
        raise UnknownValueError(str(found[0].resource), "policies of a product, which hold for some requests alone and are not followed")
    return []


def _operation(parts: _Parts, api: Api, resource: Resource, wider: list[Document]) -> Operation:
    name, template = str(resource.at("operationId")), str(resource.at("urlTemplate"))
    if "?" in template:
        raise UnknownValueError(f"{resource}: urlTemplate {template}", "a template with a query, which is not followed")
    path = _PARAMETER.sub("{*}", template if template.startswith("/") or not template else f"/{template}")
    return Operation(
        api=api,
        resource=resource,
        name=name,
        method=str(resource.at("method")).upper(),
        pattern=parse(f"{api.prefix}{path}" or "/"),
        documents=(*parts.documents("ApiOperationPolicy", api.name, name), *wider),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Subscription:
    """A key, and what it opens."""

    resource: Resource
    holder: str
    product: str
    """Empty where it opens one API, or all."""
    api: str
    """Empty where it opens a product, or all APIs."""


def subscriptions(stack: "Stack", service: Resource) -> Iterator[Subscription]:
    """Yield the keys of a service.

    Raises:
        UnknownValueError: if what one opens is not known.
    """
    for resource in below(stack, service, SUBSCRIPTION, "serviceName"):
        if str(resource.at("state", default="active")) not in {"active", "submitted"}:
            continue
        scope = resource.props.get("scope")
        if is_unknown(scope):
            product = target(stack, resource, "scope", scope, PRODUCT)
            scope = f"/products/{product.at('productId')}" if product else ""
        yield Subscription(
            resource=resource,
            holder=str(resource.at("sid", default=resource.name)),
            product=part(str(scope), "products"),
            api=part(str(scope), "apis"),
        )


def backends(stack: "Stack", service: Resource) -> dict[str, Resource]:
    """Return the backends of a service by name."""
    return {str(each.at("backendId")): each for each in below(stack, service, BACKEND, "serviceName")}
