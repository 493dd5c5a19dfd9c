"""Routes under /v1, a module for each kind of resource."""
