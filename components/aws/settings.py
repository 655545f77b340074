"""What a stack file says of an AWS environment."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from components import ranges
from components.part import AddressRange, Part, Size
from topology.findings import Faults
from topology.model.text import Text

Label = Annotated[
    str,
    Text(
        pattern="[a-z][a-z0-9-]*[a-z0-9]",
        max_length=20,
        must="2 to 20 lower-case letters, digits and inner '-', beginning with a letter",
        examples=("shop-dev",),
    ),
]
"""Begins the names of all resources; at most 20 characters, because a target group has 32."""
Principal = Annotated[
    str,
    Text(
        pattern=r"arn:aws:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+",
        must="the ARN of an IAM role or user",
        examples=("arn:aws:iam::111122223333:role/perimeter-admin",),
    ),
]
"""An IAM role or user by its ARN."""
CertificateArn = Annotated[
    str,
    Text(
        pattern=r"arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}",
        must="the ARN of a certificate in ACM",
        examples=("arn:aws:acm:eu-central-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",),
    ),
]

HostedZone = Annotated[
    str,
    Text(
        pattern="Z[0-9A-Z]{1,31}", must="the id of a hosted zone: Z, then capital letters and digits", examples=("Z0123456789ABCDEFGHIJ",)
    ),
]

TAKEN: Final = {
    "amzn-s3-demo-": "S3 keeps for itself",
    "internal-": "ELB keeps for internal load balancers",
    "sg-": "EC2 keeps for ids of security groups",
    "sthree-": "S3 keeps for itself",
    "xn--": "S3 keeps for itself",
}
"""Beginnings of names that AWS refuses (ELB API Reference, `CreateLoadBalancer`; EC2 API Reference, `CreateSecurityGroup`; S3 User Guide,
`bucketnamingrules`)."""
NETWORK_PREFIX: Final = 17
"""The smallest network (`/17`) that holds the plan of subnets."""
LARGEST_NETWORK_PREFIX: Final = 16
"""Of a VPC (EC2 API Reference, `CreateVpc`)."""
LARGEST_SERVICES_PREFIX: Final = 12
SMALLEST_SERVICES_PREFIX: Final = 24
SERVICES_WITHIN: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""What EKS takes for Services (EKS API Reference, `KubernetesNetworkConfigRequest`)."""
ZONES: Final = 3
NOBODYS: Final = "000000000000"
"""The account of the files that ship, whose operators come from an address of documentation; nothing can be made in it."""


class AwsSettings(Part):
    """One AWS environment."""

    account_id: Annotated[str, Text(pattern="[0-9]{12}", must="the twelve digits of an account", examples=("111122223333",))]
    region: Annotated[
        str, Text(pattern="[a-z]{2}-[a-z]+-[0-9]", must="the name of a region of the partition aws", examples=("eu-central-1",))
    ]
    """A region of the partition `aws` with three availability zones, such as `eu-central-1`."""
    availability_zones: Annotated[tuple[str, ...], Field(min_length=ZONES, max_length=ZONES)] | None = None
    """Default: those whose names end with a, b and c, which not every region gives to every account."""
    name: Label
    size: Size = Size.SMALL
    administrators: Annotated[tuple[Principal, ...], Field(min_length=1)]
    """Who administers the cluster; whoever runs the program is one of them, because nobody else gets in."""
    network: AddressRange = "10.70.0.0/16"
    """Addresses of the VPC, those of pods among them."""
    services: AddressRange = "172.20.0.0/16"
    """Addresses of Kubernetes Services."""
    operators: tuple[AddressRange, ...] = ()
    """Who may reach the Kubernetes API from outside the network; nobody where empty, and the program must run inside."""
    private_operators: tuple[AddressRange, ...] = ()
    """Private ranges, of networks connected to this one or of machines in it, that reach the Kubernetes API; nodes alone where empty."""
    certificate: CertificateArn | None = None
    """A certificate in ACM, in the same region, for the topology's hosts; without it one is asked for and proved by the hosted zone."""
    hosted_zone: HostedZone | None = None
    """Id of a public hosted zone of Route 53, where the hosts get their addresses; without it you make the records yourself."""

    @property
    def zones(self) -> tuple[str, ...]:
        """The three availability zones."""
        return self.availability_zones or tuple(f"{self.region}{letter}" for letter in "abc")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        wrong = ranges.faults(
            {"network": self.network, "services": self.services},
            longest_prefix=NETWORK_PREFIX,
            operators=self.operators,
            private_operators=self.private_operators,
            elsewhere=False,
        )
        wrong += _refused(self.network, self.services)
        if self.account_id != NOBODYS:
            wrong += _unreachable(self.operators)
        wrong += _twice("administrators", self.administrators)
        wrong += _twice("privateOperators", self.private_operators)
        wrong += [f"availabilityZones {zone} is not in region {self.region}" for zone in self.zones if not zone.startswith(self.region)]
        if len(set(self.zones)) < ZONES:
            wrong.append("availabilityZones names a zone twice")
        if self.certificate is None and self.hosted_zone is None:
            wrong.append("there is neither a certificate nor a hostedZone to prove one with: give one of them")
        if self.certificate and f":acm:{self.region}:" not in self.certificate:
            wrong.append(f"certificate is not in region {self.region}, where the load balancer must find it")
        wrong += [f"name begins with {taken}, which {whose}" for taken, whose in TAKEN.items() if self.name.startswith(taken)]
        if wrong:
            raise Faults(wrong)
        return self


def _unreachable(operators: tuple[str, ...]) -> Iterator[str]:
    """Yield operators' ranges that EKS refuses: private ones and those of documentation.

    EKS User Guide, `cluster-endpoint`; `InvalidParameterException: The following CIDRs are not allowed in publicAccessCidrs` comes a minute after
    keys and roles are made.
    """
    for given in operators:
        try:
            block = IPv4Network(given)
        except ValueError:  # which `ranges.faults` says
            continue
        if not block.is_global:
            yield f"operators {block} is refused by EKS, because it is not public: give your public address, and private ranges in privateOperators"


def _twice(key: str, given: tuple[str, ...]) -> Iterator[str]:
    """Yield what is named twice.

    EKS refuses a principal's second access entry (EKS User Guide, `access-entries`), EC2 a second rule that says the same
    (EC2 API Reference, `InvalidPermission.Duplicate`).
    """
    for each, times in Counter(given).items():
        if times > 1:
            yield f"{key} names {each} twice"


def _refused(network: str, services: str) -> Iterator[str]:
    """Yield what AWS refuses of ranges; what is no range at all, `ranges.faults` says."""
    try:
        vpc, inside = IPv4Network(network), IPv4Network(services)
    except ValueError:
        return
    if vpc.prefixlen < LARGEST_NETWORK_PREFIX:
        yield f"network {vpc} is larger than a VPC can be: give it a /{LARGEST_NETWORK_PREFIX} or smaller"
    if not LARGEST_SERVICES_PREFIX <= inside.prefixlen <= SMALLEST_SERVICES_PREFIX:
        yield f"services {inside} is refused by EKS: give it a range between /{SMALLEST_SERVICES_PREFIX} and /{LARGEST_SERVICES_PREFIX}"
    if not any(inside.subnet_of(private) for private in SERVICES_WITHIN):
        yield f"services {inside} is refused by EKS: give it a part of {', '.join(map(str, SERVICES_WITHIN))}"
