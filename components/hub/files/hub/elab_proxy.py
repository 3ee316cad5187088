"""The proxy in front of hub and servers, run by a Deployment of its own."""

from typing import Any

from elab_values import Values
from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets.config import Config

ROUTES_INTERVAL = 5
"""Seconds between two looks at the proxy's routes: one that restarted has forgotten them all."""


class RoutingProxy(ConfigurableHTTPProxy):
    """Leads requests, and says nothing about activity.

    The proxy takes every poll and ping of a forgotten browser tab for activity, so that servers would run all night;
    the servers themselves tell work from polling, and report it.
    """

    async def get_all_routes(self, client: Any = None) -> dict[str, Any]:  # noqa: ANN401 (JupyterHub's signature)
        """The routes, without the time of their last request."""
        routes = await super().get_all_routes(client=client)
        for route in routes.values():
            route["data"].pop("last_activity", None)
        return routes


def configure(c: Config, values: Values) -> None:
    """Use the proxy that runs apart; its token is the secret CONFIGPROXY_AUTH_TOKEN."""
    c.JupyterHub.proxy_class = RoutingProxy
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = values["proxy"]["api_url"]
    # JupyterHub compares routes on this occasion.
    c.JupyterHub.last_activity_interval = ROUTES_INTERVAL
