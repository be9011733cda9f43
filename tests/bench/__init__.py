"""CPU per request of the server process, beside a plain service that decides nothing. Run: ``make bench``."""
