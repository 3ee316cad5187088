"""`make up`, `make down` and `make status`: the stack on its cluster, each step shown with the time it took."""
