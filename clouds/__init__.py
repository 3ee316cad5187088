"""The clouds that elab knows: one module each, all of one shape. A new one is a module and two lines here."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from clouds.base import Cloud
from clouds.local import Local, LocalSettings
from clouds.onprem import OnPrem, OnPremSettings

CloudSettings = Annotated[OnPremSettings | LocalSettings, Field(discriminator="kind")]
"""Each cloud's own settings, told apart by `kind`."""

_CLOUDS: dict[str, Callable[[Any], Cloud]] = {"onprem": OnPrem, "local": Local}


def cloud_of(settings: OnPremSettings | LocalSettings) -> Cloud:
    """The cloud that the settings speak of."""
    return _CLOUDS[settings.kind](settings)
