"""Numbers of phones as people and networks write them, to E.164."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from modemd.errors import NotABulgarianMobile, NotAPhone

_LONGEST = 64  # characters that a number may be written in
_WRITTEN = re.compile(r"[0-9+(][0-9 ()./-]*")
_SHORT_CODE = re.compile(r"[0-9]{3,6}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SUBSCRIBER = re.compile(r"\+?[0-9]{7,15}")  # 6 digits or fewer are short codes
_MOBILE = re.compile(r"8[789][0-9]{7}|98[0-9]{7}|99[6-9][0-9]{5,6}")  # the plan; newer than phonenumbers in parts
_M2M = ("43", "48")  # machines; phonenumbers calls some of them mobile
_BULGARIA = 359


def normalise(written: str) -> str:
    """A Bulgarian mobile number in E.164. Raises NotABulgarianMobile, also for fixed lines, M2M and short codes."""
    number = _parse(written)
    if number is None or number.country_code != _BULGARIA or not _is_mobile(number):
        raise NotABulgarianMobile(number=written)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def recipient(written: str) -> str:
    """Where an SMS may go: any number in E.164, or a short code of 3 to 6 digits as it is. Raises NotAPhone.

    A number without + is read as one of Bulgaria.
    """
    if _SHORT_CODE.fullmatch(written.strip()):
        return written.strip()
    number = _parse(written)
    if number is None or not (written.strip().startswith("+") or phonenumbers.is_possible_number(number)):
        raise NotAPhone(number=written)
    found = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not _E164.fullmatch(found):
        raise NotAPhone(number=written)
    return found


def sender(number: str | None) -> str | None:
    """The phone that a received SMS came from, or None if nothing may answer it (rule 9).

    That is an alphanumeric sender, a short code of 6 digits or fewer, or none at all. Networks write Bulgarian mobiles
    in national form too: these become E.164, any other number stays as it came.
    """
    if number is None or not _SUBSCRIBER.fullmatch(number):
        return None
    try:
        return normalise(number)
    except NotABulgarianMobile:
        return number


def spellings(number: str) -> tuple[str, ...]:
    """How networks may have written the number of a received SMS that `sender` takes for this one."""
    national = number.removeprefix(f"+{_BULGARIA}")
    if national == number:
        return (number,)
    return (number, number[1:], f"00{number[1:]}", f"0{national}", national)


def _parse(written: str) -> PhoneNumber | None:
    text = unicodedata.normalize("NFKC", written).strip() if len(written) <= _LONGEST else ""
    if not _WRITTEN.fullmatch(text):  # phonenumbers would read letters as a keypad does, and find extensions
        return None
    try:
        return phonenumbers.parse(text, "BG")
    except NumberParseException:
        return None


def _is_mobile(number: PhoneNumber) -> bool:
    national = phonenumbers.national_significant_number(number)
    if national.startswith(_M2M):
        return False
    if _MOBILE.fullmatch(national):
        return True
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == PhoneNumberType.MOBILE
