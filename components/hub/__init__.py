"""The hub: login, proxy, people's servers, culling, image puller, scheduling."""
