"""One daemon per name on one database, by a lock that dies with its process."""

from sqlalchemy import Engine


class HostLock:
    def __init__(self, engine: Engine, name: str) -> None: ...

    def acquire(self) -> None:
        """Raises HostNameTaken."""
        raise NotImplementedError

    def release(self) -> None: ...
