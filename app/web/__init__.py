"""The HTML front end; it accesses data only through the API, over HTTP."""
