"""Drug codes that a site brings: a file of its own codes, and an RxNorm release that it is licensed for."""
