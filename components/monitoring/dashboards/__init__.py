"""The dashboards as code, what each needs, and the queries in them. Only `python -m` of this package needs the SDK."""
