"""How a stack's YAML becomes typed values: the loader, the scalar types, and errors that say how to mend them."""
