"""Every error that modemd raises, in one tree. Docstrings are the messages; `permanent`: a retry cannot help."""

import inspect
from collections.abc import Mapping


class ModemdError(Exception):
    """Something failed: {reason}."""

    permanent = True

    def __init__(self, **facts: object) -> None:
        """`facts` fill the braces of the class's docstring and stay readable as `error.facts`."""
        self.facts = facts
        super().__init__(" ".join(inspect.cleandoc(self.__class__.__doc__ or "").format(**facts).split()))


class Because(str):
    """Why something is refused: in English for logs and the command line, and what the panel translates.

    `sentence` has the names of the facts in braces; a fact may be such a reason itself.
    """

    sentence: str
    facts: Mapping[str, object]

    def __new__(cls, sentence: str, **facts: object) -> "Because":
        made = super().__new__(cls, sentence.format(**facts))
        made.sentence, made.facts = sentence, facts
        return made


class Refusal(ModemdError):
    """It was not done: {reason}."""

    def __init__(self, *, reason: Because, **facts: object) -> None:
        super().__init__(reason=reason, **facts)
        self.reason = reason


# settings


class SettingsError(ModemdError):
    """The settings in {path} cannot be used: {reason}"""


# the codec


class PduError(ModemdError):
    """The PDU cannot be read: {reason}."""


class TextError(Refusal):
    """The text cannot be sent: {reason}."""


# modems


class ModemError(ModemdError):
    """{port}: {reason}."""

    permanent = False


class PortMissing(ModemError):
    """{port} does not exist. Plug the modem in, or correct [bank] ports."""


class PortBusy(ModemError):
    """{port} is in use by another program ({holder}).

    Stop it (often ModemManager), or leave this port out of [bank] ports.
    """


class PortForbidden(ModemError):
    """{port} may not be opened by this user. Add the user to the group that owns the port (often dialout)."""


class PortGone(ModemError):
    """{port} hung up: the modem was unplugged or restarted."""


class NotAModem(ModemError):
    """{port} does not answer AT.

    It is no modem's command port, or the modem is stuck: unplug it and plug it in again.
    """


class CommandTimeout(ModemError):
    """{port}: no answer to {command} in {seconds} s."""


class CommandRefused(ModemError):
    """{port} refused {command}: {result} ({advice})."""

    def __init__(self, *, permanent: bool = False, **facts: object) -> None:
        super().__init__(**facts)
        self.permanent = permanent


class StartupRefused(ModemError):
    """{port}: the modem refused {command}, which modemd needs: {result} ({why})."""


class PinRequired(ModemError):
    """{port}: the SIM wants a PIN and none is set. Write it into the file that [bank] pin_file names."""

    permanent = True


class PinWrong(ModemError):
    """{port}: the SIM refused the PIN and it will not be tried again.

    Correct the PIN in [bank] pin_file (or pin_file of its [[line]]).
    """

    permanent = True


class PinNotTried(ModemError):
    """{port}: the PIN was not tried: {reason}."""

    permanent = True


class PinLastTry(PinNotTried):
    """{port}: the PIN was not tried: tries left: {left}; enter it in a phone."""


class PinTriedBefore(PinNotTried):
    """{port}: the PIN was not tried: it was tried on this SIM before.

    A try that was cut off counts too: the SIM may have seen it. Check the PIN in a phone and switch it off there, or
    give another one.
    """


class PinUnreadable(PinNotTried):
    """{port}: the PIN was not tried: {path} cannot be read: {error}."""


class NoPinInFile(PinNotTried):
    """{port}: the PIN was not tried: {path} does not hold a PIN of 4 to 8 digits."""


class NoPin(ModemError):
    """{port}: a PIN has 4 to 8 digits."""

    permanent = True


class PinUnwritable(ModemError):
    """{port}: the PIN cannot be kept in {path}: {error}."""


class PukRequired(ModemError):
    """{port}: the SIM wants its PUK.

    Do not enter a PIN; take the PUK from the contract and unlock the SIM in a phone.
    """

    permanent = True


class SimLocked(ModemError):
    """{port}: is locked to another SIM ({lock}): have it unlocked."""


class PortClosed(ModemError):
    """{port}: cannot be opened: {error}."""


class NotNow(ModemError):
    """{port}: the modem is {state}."""


class ConsoleRefused(ModemError):
    """{command} is not let through: {why}."""

    permanent = True


class UssdRefused(ModemError):
    """{port}: a USSD code has digits, * and # only."""


class UssdUnanswered(ModemError):
    """{port}: no answer to the code: {said}."""


class UssdLate(ModemError):
    """{port}: the operator did not answer the code in {seconds} s."""


class SimMissing(ModemError):
    """{port}: no SIM, or the SIM does not answer. Insert it: the modem takes it up within a minute."""


class SimChanged(ModemError):
    """{port}: the SIM was changed or has started anew; the modem starts with the one that it has now."""


class ModemPaused(ModemError):
    """{port}: a technician has paused the modem. Resume it with: modemd modem resume"""

    permanent = True


class NotSent(ModemError):
    """{port}: the message was not handed to the network: {reason}."""


class SendInDoubt(ModemError):
    """{port}: the network may have taken the message and we cannot know: {reason}."""


# the store


class DatabaseUnreachable(ModemdError):
    """The database {url} cannot be reached: {reason}. Check [database] url and that the server runs."""

    permanent = False


class DatabaseOutdated(ModemdError):
    """The database is at revision {found} and this program needs {needed}. Run: modemd db upgrade -c FILE"""


class TargetNotEmpty(ModemdError):
    """The database {url} is not empty ({table} holds rows), and a copy goes into an empty one only."""


class DaemonRuns(ModemdError):
    """A daemon still works on the database that is to be copied: {names}. Stop it first."""


class CopyDiffers(ModemdError):
    """The copy is not like the original, and nothing was kept of it: {table} gives {after} instead of {before}."""


class DatabaseNewer(ModemdError):
    """The database (revision {found}) is newer than this program.

    Install the newer modemd that made it, or restore the backup from before.
    """


class HostNameTaken(ModemdError):
    """A daemon named {name} already runs on this database ({holder}).

    Stop it, or give this one another [daemon] name.
    """


class VerbFailed(ModemdError):
    """A write did not do what it should: {reason}."""


class AuditBroken(ModemdError):
    """The audit log was tampered with at entry {entry}: {reason}.

    Keep a copy of the database as it is, and compare it with the last backup.
    """


class LineUnknown(Refusal):
    """{line!r} names no line: {reason}. See: modemd line list"""


class NotHeld(ModemdError):
    """Nothing was changed: message {message_id} is {state}, and only a held one is for a person to decide."""


class NotFailed(Refusal):
    """Nothing was changed: message {message_id} {reason}. See: modemd messages --state failed"""


# what people hand in


class NotAPhone(ModemdError):
    """{number!r} is no number that an SMS can go to. Write it as +359881234567, or a short code of 3 to 6 digits."""


class NotABulgarianMobile(ModemdError):
    """{number!r} is no Bulgarian mobile number. Write it as 0881234567 or +359881234567."""


class RegistrationRefused(Refusal):
    """The phone was not registered: {reason}."""


class DocumentNotSeen(ModemdError):
    """Nothing was done: compare the identity document of customer {customer} first."""


class PhoneIsFull(RegistrationRefused):
    """The phone was not registered: {reason}."""


class NotRegistered(Refusal):
    """Nothing was ended: {reason}."""


class CustomerUnknown(ModemdError):
    """Nothing is known of customer {customer}: neither billing nor any registration names it."""


class EraseRefused(Refusal):
    """The customer was not erased: {reason}."""


class RevealRefused(Refusal):
    """The number is not shown: {reason}."""


class WrongNumber(ModemdError):
    """The phone was not registered: {number} was marked as a wrong number on {day}.

    If its holder is the customer after all, a person lifts the mark: modemd customer right-number
    """


class FileRefused(Refusal):
    """{name} was refused: {reason}."""


class InputRefused(ModemdError):
    """{name} was refused: {reason}."""


class FileHeld(Refusal):
    """{name} is held until a person approves it: {reason}.

    If it is right, import it again with --approved, or say so with: modemd file approve
    """


class PeriodRefused(Refusal):
    """There is no report for this period: {reason}."""


class NotUnread(Refusal):
    """Nothing was changed: text {inbox_id} {reason}. See: modemd unread list"""


class SpellingRefused(Refusal):
    """{words!r} was not made a spelling of {kind}: {reason}."""


class AnswerRefused(Refusal):
    """Text {inbox_id} was not answered: {reason}."""


class CannedRefused(Refusal):
    """The canned answer {name!r} cannot be used: {reason}"""


class TemplateRefused(Refusal):
    """The text {what} was not saved: {reason}."""


class CampaignRefused(Refusal):
    """{what} was not done: {reason}."""


class NothingToSend(Refusal):
    """There is nobody to send to: {reason}."""


class LastLookFailed(VerbFailed):
    """Message {message_id} is not sent: {reason}."""

    def __init__(self, *, message_id: int, reason: str) -> None:
        super().__init__(message_id=message_id, reason=reason)
        self.reason = reason


class NoLongerTrue(LastLookFailed):
    """Message {message_id} is not sent: {reason}."""


class LeavesLater(LastLookFailed):
    """Message {message_id} does not leave now: {reason}."""


class NotHeldFile(ModemdError):
    """Nothing was decided: file {file} is {state}, and only a held one waits for a person. See: modemd file list"""


class ImportStopped(Refusal):
    """The import was broken off: {reason}."""

    permanent = False


class UserRefused(Refusal):
    """The user was not added: {reason}."""


class PasswordRefused(Refusal):
    """The password was not changed: {reason}."""


class ModemUnknown(ModemdError):
    """{name!r} names no single modem: {reason}. `modemd status` shows their names and ports."""


class NotPlugged(ModemError):
    """{port}: is not plugged in."""


class Unsettled(ModemError):
    """{port}: is {state}: {reason}"""


class WishRefused(ModemdError):
    """It was not done with {name}: {reason}"""


class WishNotAnswered(ModemdError):
    """Nothing is known of what was asked of {name}: {reason}."""


class FactorSealed(ModemdError):
    """The second factor was sealed with another secret key of the panel.

    An administrator takes it away under People; then its owner sets a new one.
    """


# the portal


class TooOften(ModemdError):
    """Too many {what} were asked for. Wait an hour, then try again."""

    permanent = False


class CertificateRefused(ModemdError):
    """The certificate does not open the portal: {reason}."""


class ListRefused(ModemdError):
    """The revocation list at {url} was not taken, the one that is here stays: {reason}."""

    permanent = False


# other programs


class TokenRefused(ModemdError):
    """The token was not made: {reason}."""


class NotLetIn(ModemdError):
    """The token does not open this."""


class LetterRefused(ModemdError):
    """The letter is not sent as SMS: {what}."""

    def __init__(self, *, later: bool = False, **facts: object) -> None:
        super().__init__(**facts)
        self.later = later  # the mail server may bring it again
        self.permanent = not later


class WebhookRefused(ModemdError):
    """It was not done: {what}."""


class KeyUsed(ModemdError):
    """Nothing was queued: this Idempotency-Key came before with another body."""


class TooManyMessages(ModemdError):
    """Nothing was queued: this client may queue {per_day} messages in 24 hours."""

    permanent = False


class NotCancelled(ModemdError):
    """Nothing was changed: the message is {state}, and only a queued one can be cancelled."""


class NotThen(ModemdError):
    """The message cannot be sent then: {what}."""


class MessagesRefused(ModemdError):
    """Nothing was queued: {reason}"""


# the panel


class PanelNotStarted(ModemdError):
    """The panel cannot listen on {address}: {reason}. Stop what uses it, or set another [web] port."""


# the simulated bank, the demo and the bench


class DemoFailed(ModemdError):
    """The demo did not work: {reason}. Its last words: {said}"""


class BenchFailed(ModemdError):
    """Nothing was measured: {reason}. Its last words: {said}"""


class ScenarioRefused(ModemdError):
    """The database {url} is not empty ({table} holds rows), and a scenario is written into an empty one only.

    Name another one in [database] url.
    """


class SimulatorError(ModemdError):
    """The simulated bank in {dir} did not do it: {reason}."""


class TranscriptRefused(ModemdError):
    """The transcript {path} cannot be replayed: {reason}."""


# setting up a machine, and keeping copies


class SetupRefused(ModemdError):
    """The machine was not set up: {reason}."""


class BackupFailed(ModemdError):
    """No backup was made: {reason}"""
