"""What a stack file says of an AWS environment."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Final

from pydantic import Field

from components import ranges
from components.aws.regions import REGIONS
from components.fitting import Fitting
from components.part import AddressRange, Size, known
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

Region = Annotated[
    str,
    Text(pattern="[a-z]{2}-[a-z]+-[0-9]", must="the name of a region of the partition aws", examples=("eu-central-1",)),
    known(REGIONS, what="region of the partition aws that is known here", where="components/aws/regions.py"),
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


class AwsSettings(Fitting):
    """One AWS environment."""

    account_id: Annotated[str, Text(pattern="[0-9]{12}", must="the twelve digits of an account", examples=("111122223333",))]
    """Your account; the files that ship hold zeros. Credentials of another account are an error before anything is made."""
    region: Region
    """A region of the partition `aws` with three availability zones, such as `eu-central-1`."""
    availability_zones: Annotated[tuple[str, ...], Field(min_length=ZONES, max_length=ZONES)] | None = None
    """Default: those whose names end with a, b and c, which not every region gives to every account."""
    name: Label
    """Begins every name; not with what AWS keeps for itself (`internal-`, `sg-`, `xn--`, `sthree-`, `amzn-s3-demo-`)."""
    size: Size = Size.SMALL
    """Instance types, numbers, ways out, protection (`components/aws/sizes.py`)."""
    administrators: Annotated[tuple[Principal, ...], Field(min_length=1)]
    """Who administers the cluster; whoever runs the program is one of them, because nobody else gets in."""
    network: AddressRange = "10.70.0.0/16"
    """Addresses of the VPC, those of pods among them: a /16 or /17; its subnets are computed from it."""
    services: AddressRange = "172.20.0.0/16"
    """Addresses of Kubernetes Services: private, a /12 to /24."""
    operators: tuple[AddressRange, ...] = ()
    """Public ranges that reach the Kubernetes API from outside the network; nobody where empty, and the program must run inside. The files that
    ship hold an address of documentation, which EKS refuses."""
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

    def own_ranges(self) -> dict[str, str]:
        """Return the environment's own ranges that can be read, by their keys."""
        return {key: getattr(self, key) for key in ("network", "services") if self.read(key)}

    def faults(self) -> Iterator[str]:
        """Yield what cannot be, each with what to do."""
        yield from ranges.faults(
            self.own_ranges(),
            longest_prefix=NETWORK_PREFIX,
            operators=self.operators,
            private_operators=self.private_operators,
            elsewhere=False,
        )
        if self.read("network"):
            yield from _refused_network(self.network)
        if self.read("services"):
            yield from _refused_services(self.services)
        if self.read("account_id") and self.account_id != NOBODYS:
            # EKS User Guide, `cluster-endpoint`; `InvalidParameterException: The following CIDRs are not allowed in publicAccessCidrs` comes a
            # minute after keys and roles are made.
            yield from ranges.unreachable(self.operators, "is refused by EKS, because it is not public")
        yield from _twice("administrators", self.administrators if self.read("administrators") else ())
        yield from _twice("privateOperators", self.private_operators)
        if self.read("region", "availability_zones"):
            yield from self._zones_elsewhere()
        if self.read("certificate", "hosted_zone") and self.certificate is None and self.hosted_zone is None:
            yield "there is neither a certificate nor a hostedZone to prove one with: give one of them"
        if self.read("certificate", "region") and self.certificate and f":acm:{self.region}:" not in self.certificate:
            yield f"certificate is not in region {self.region}, where the load balancer must find it"
        if self.read("name"):
            yield from (f"name begins with {taken}, which {whose}" for taken, whose in TAKEN.items() if self.name.startswith(taken))

    def _zones_elsewhere(self) -> Iterator[str]:
        yield from (f"availabilityZones {zone} is not in region {self.region}" for zone in self.zones if not zone.startswith(self.region))
        if len(set(self.zones)) < ZONES:
            yield "availabilityZones names a zone twice"


def _twice(key: str, given: tuple[str, ...]) -> Iterator[str]:
    """Yield what is named twice.

    EKS refuses a principal's second access entry (EKS User Guide, `access-entries`), EC2 a second rule that says the same
    (EC2 API Reference, `InvalidPermission.Duplicate`).
    """
    for each, times in Counter(given).items():
        if times > 1:
            yield f"{key} names {each} twice"


def _refused_network(given: str) -> Iterator[str]:
    """Yield what EC2 refuses of a network; what is no range at all, `ranges.faults` says."""
    vpc = ranges.network(given)
    if vpc and vpc.prefixlen < LARGEST_NETWORK_PREFIX:
        yield f"network {vpc} is larger than a VPC can be: give it a /{LARGEST_NETWORK_PREFIX} or smaller"


def _refused_services(given: str) -> Iterator[str]:
    """Yield what EKS refuses of a range of Services, as above."""
    inside = ranges.network(given)
    if inside is None:
        return
    if not LARGEST_SERVICES_PREFIX <= inside.prefixlen <= SMALLEST_SERVICES_PREFIX:
        yield f"services {inside} is refused by EKS: give it a range between /{SMALLEST_SERVICES_PREFIX} and /{LARGEST_SERVICES_PREFIX}"
    if not any(inside.subnet_of(private) for private in SERVICES_WITHIN):
        yield f"services {inside} is refused by EKS: give it a part of {', '.join(map(str, SERVICES_WITHIN))}"
