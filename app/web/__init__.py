"""The HTML front end; it reaches data only through the API, over HTTP."""
