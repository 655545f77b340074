"""The certificate that clients see: one of yours, or one that the hosted zone proves."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import acm, route53

from components.aws.land import AwsLand
from components.edge.application_load_balancer.certificate_name import first_name
from topology.model.base import HostName


def certificate(hosts: Sequence[HostName], land: AwsLand, *, parent: pulumi.Resource) -> pulumi.Input[str]:
    """Return the ARN of the certificate; where it is asked for, once it is issued."""
    settings = land.settings
    if settings.certificate:
        return settings.certificate
    if settings.hosted_zone is None:
        raise ValueError("there is neither a certificate nor a hosted zone, which settings refuse")
    first = first_name(hosts)
    if first is None:
        raise ValueError("no host is short enough for a certificate, which `uncarried` refuses")
    options = pulumi.ResourceOptions(parent=parent)
    made = acm.Certificate(
        "edge-certificate",
        acm.CertificateArgs(
            domain_name=first,
            subject_alternative_names=[host for host in hosts if host != first],
            validation_method="DNS",
            key_algorithm="EC_prime256v1",
            tags=land.names.tags("edge-certificate"),
        ),
        opts=options,
    )
    proofs = [_proof(host, made, settings.hosted_zone, options) for host in hosts]
    issued = acm.CertificateValidation(
        "edge-certificate",
        acm.CertificateValidationArgs(certificate_arn=made.arn, validation_record_fqdns=[proof.fqdn for proof in proofs]),
        opts=options,
    )
    return issued.certificate_arn


def _proof(host: HostName, made: acm.Certificate, zone: str, options: pulumi.ResourceOptions) -> route53.Record:
    """Register the record by which AWS knows that a host's name is ours; AWS says what it must hold."""

    def asked(found: Sequence[acm.outputs.CertificateDomainValidationOption]) -> acm.outputs.CertificateDomainValidationOption:
        return next(option for option in found if option.domain_name == host)

    option = made.domain_validation_options.apply(asked)
    return route53.Record(
        f"proof-{host}",
        route53.RecordArgs(
            zone_id=zone,
            name=option.resource_record_name.apply(str),
            type=option.resource_record_type.apply(str),
            records=[option.resource_record_value.apply(str)],
            ttl=300,
            # Hosts of one name share a record.
            allow_overwrite=True,
        ),
        opts=options,
    )
