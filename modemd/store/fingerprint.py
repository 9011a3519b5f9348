"""By what a PDU is known again when a modem gives it a second time."""

import hashlib


def fingerprint(line_id: int, pdu: str, *place: object) -> str:
    """A hash of the line and the TPDU. `pdu` is hex with its SMSC prefix, which modems give or leave out at will.

    `place` (storage, index) tells apart what has no time stamp to differ by.
    """
    return hashlib.sha256(repr((line_id, _tpdu(pdu.lower()), *place)).encode()).hexdigest()


def _tpdu(pdu: str) -> str:
    try:
        return pdu[2 + 2 * int(pdu[:2], 16) :] or pdu
    except ValueError:  # no hex: kept as it is
        return pdu
