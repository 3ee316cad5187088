"""The clouds that elab knows: one module each, all of one shape. A new one is a module and two lines here."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from clouds.aws import Aws, AwsSettings
from clouds.azure import Azure, AzureSettings
from clouds.base import Cloud
from clouds.gcp import Gcp, GcpSettings
from clouds.local import Local, LocalSettings
from clouds.onprem import OnPrem, OnPremSettings
from clouds.openshift import OpenShift, OpenShiftSettings

AnyCloudSettings = OnPremSettings | OpenShiftSettings | AwsSettings | GcpSettings | AzureSettings | LocalSettings
CloudSettings = Annotated[AnyCloudSettings, Field(discriminator="kind")]
"""Each cloud's own settings, told apart by `kind`."""

_CLOUDS: dict[str, Callable[[Any], Cloud]] = {
    "onprem": OnPrem,
    "openshift": OpenShift,
    "aws": Aws,
    "gcp": Gcp,
    "azure": Azure,
    "local": Local,
}


def cloud_of(settings: AnyCloudSettings) -> Cloud:
    """The cloud that the settings speak of."""
    return _CLOUDS[settings.kind](settings)
