"""The room's own certificate authority, and Elasticsearch's certificate."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls
from pulumi_kubernetes.core import v1 as core

from components.kit import DataPolicy, Labels, metadata

SECRET = "elasticsearch-tls"  # noqa: S105  the Secret's name
_YEAR_HOURS = 8760
AUTHORITY_HOURS, AUTHORITY_RENEWAL_HOURS = 10 * _YEAR_HOURS, _YEAR_HOURS
"""Ten years; an `up` in the last of them makes another."""
CERTIFICATE_HOURS, CERTIFICATE_RENEWAL_HOURS = 2 * _YEAR_HOURS, _YEAR_HOURS // 2
"""Two years; an `up` in the last half year renews it. The alert on its expiry comes a month before."""
_CURVE = "P256"


@dataclass(frozen=True, kw_only=True)
class AuthorityArgs:
    """What the authority is made of."""

    namespace: str
    labels: Labels
    data: DataPolicy
    names: Sequence[str]
    """Every name by which somebody calls Elasticsearch."""


class Authority(pulumi.ComponentResource):
    """Signs for Elasticsearch alone, by HTTP and among its nodes; clients trust it and nobody else."""

    certificate: pulumi.Output[str]
    """The authority's own, as PEM text: what clients trust."""

    def __init__(self, name: str, args: AuthorityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:logging:Authority", name, None, opts)
        child, kept = pulumi.ResourceOptions(parent=self), args.data.options(self)
        key = tls.PrivateKey(f"{name}-key", tls.PrivateKeyArgs(algorithm="ECDSA", ecdsa_curve=_CURVE), kept)
        organization = f"elab {args.labels.instance}"
        authority = tls.SelfSignedCert(
            f"{name}-certificate",
            tls.SelfSignedCertArgs(
                private_key_pem=key.private_key_pem,
                is_ca_certificate=True,
                set_subject_key_id=True,
                validity_period_hours=AUTHORITY_HOURS,
                early_renewal_hours=AUTHORITY_RENEWAL_HOURS,
                allowed_uses=["cert_signing", "crl_signing", "digital_signature"],
                subject=tls.SelfSignedCertSubjectArgs(common_name="elab logging", organization=organization),
            ),
            # Not protected as its key is: renewing is replacing, and Pulumi replaces nothing that is protected.
            child,
        )
        own = tls.PrivateKey(
            f"{name}-elasticsearch-key", tls.PrivateKeyArgs(algorithm="ECDSA", ecdsa_curve=_CURVE), kept
        )
        request = tls.CertRequest(
            f"{name}-elasticsearch-request",
            tls.CertRequestArgs(
                private_key_pem=own.private_key_pem,
                dns_names=list(args.names),
                subject=tls.CertRequestSubjectArgs(common_name=args.names[0], organization=organization),
            ),
            child,
        )
        signed = tls.LocallySignedCert(
            f"{name}-elasticsearch-certificate",
            tls.LocallySignedCertArgs(
                cert_request_pem=request.cert_request_pem,
                ca_private_key_pem=key.private_key_pem,
                ca_cert_pem=authority.cert_pem,
                validity_period_hours=CERTIFICATE_HOURS,
                early_renewal_hours=CERTIFICATE_RENEWAL_HOURS,
                # Among its nodes each is a client of the others too.
                allowed_uses=["digital_signature", "key_agreement", "server_auth", "client_auth"],
            ),
            child,
        )
        content = core.SecretInitArgs(
            metadata=metadata(SECRET, args.labels, args.namespace),
            string_data={
                "tls.crt": signed.cert_pem,
                "tls.key": own.private_key_pem_pkcs8,
                "ca.crt": authority.cert_pem,
            },
        )
        core.Secret(f"{name}-secret", content, child)
        self.certificate = authority.cert_pem
        self.register_outputs({"certificate": self.certificate})
