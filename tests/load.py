"""Mixed requests at rising rates: throughput, p50, p99, errors. ``make load``."""
