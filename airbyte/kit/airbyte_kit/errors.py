"""What can go wrong in the kit before a connector runs: one sentence that names the thing and what to do."""


class KitError(Exception):
    """For whoever gave the command."""
