"""Octets read one field after the other."""

from modemd.errors import PduError


class Reader:
    """A place in a PDU. Every `take` names its field, so that a PDU that ends too early says where."""

    __slots__ = ("_octets", "_position")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def take(self, count: int, field: str) -> bytes:
        """The next `count` octets. Raises PduError when there are fewer."""
        end = self._position + count
        if end > len(self._octets):
            raise PduError(reason=f"it ends inside {field}")
        taken = self._octets[self._position : end]
        self._position = end
        return taken

    def octet(self, field: str) -> int:
        """The next octet as a number. Raises PduError when there is none."""
        return self.take(1, field)[0]

    def at_end(self) -> bool:
        return self._position == len(self._octets)
