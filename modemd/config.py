"""Every setting and its default, once. `load(path)` reads the TOML file; an unknown key names the nearest one."""

import difflib
import ipaddress
import re
import socket
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from modemd.errors import SettingsError

SOFIA = ZoneInfo("Europe/Sofia")

KindName = Literal["reply", "reminder", "outage", "otp", "api", "manual"]
ANSWERS: tuple[KindName, ...] = ("reply", "otp")  # what somebody is waiting for
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
USSD_CODE = r"^[0-9*#]{1,40}$"
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
Language = Literal["bg-Latn", "bg-Cyrl", "en"]


class Limits(NamedTuple):
    """Parts that one SIM may send; 0 = no limit."""

    per_minute: int = 0
    per_day: int = 0
    per_month: int = 0

    def but(self, per_minute: int | None, per_day: int | None, per_month: int | None) -> "Limits":
        """These limits with what is not None put in their place."""
        given = (per_minute, per_day, per_month)
        return Limits(*(own if other is None else other for own, other in zip(self, given, strict=True)))


def _checked_pattern(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if not groups:
        raise ValueError(f"{pattern!r} needs a group (in round brackets) around the amount")
    return pattern


def _checked_networks(written: tuple[str, ...]) -> tuple[str, ...]:
    for each in written:
        ipaddress.ip_network(each)  # its ValueError says what is wrong
    return written


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    url: str = "sqlite:////var/lib/modemd/modemd.db"


class Bank(Section):
    ports: tuple[str, ...] = ("/dev/modemd/*",)  # glob patterns; every port that matches is a modem
    pin_file: Path | None = None
    adopt: bool = True  # use a SIM seen for the first time at once
    per_minute: int = Field(10, ge=0)  # parts per SIM; 0 = no limit
    per_day: int = Field(1000, ge=0)
    per_month: int = Field(0, ge=0)
    answer_reserve: float = Field(10.0, ge=0, lt=100)  # % of per_day and per_month that only answers may use
    baud_rate: int = Field(115200, gt=0)
    send_timeout: float = Field(60.0, gt=0)  # s from Ctrl-Z to +CMGS; SIM800 manual: 60
    command_timeout: float = Field(5.0, gt=0)  # s for a command that asks only the modem itself
    balance_ussd: str | None = Field(None, pattern=USSD_CODE)  # asks the operator what is left, for instance "*100#"
    balance_pattern: str = r"(\d+[.,]\d{2})"  # finds the amount in his answer: the first group
    balance_warn: float | None = None  # an alert at this amount and below
    balance_stop: float | None = None  # the line sends only answers at this amount and below
    balance_hours: float = Field(24.0, gt=0)  # between two questions
    usb_reset: bool = True  # a stuck stick may be taken from its driver and given back (needs write access to sysfs)
    hub_power: bool = False  # a stuck stick's hub port may be switched off and on with uhubctl

    @field_validator("balance_pattern")
    @classmethod
    def has_one_amount(cls, pattern: str) -> str:
        return _checked_pattern(pattern)


class Line(Section):
    """What differs for one modem, found by port, imei or iccid."""

    port: str | None = None
    imei: str | None = None
    iccid: str | None = None
    name: str | None = None
    pin_file: Path | None = None
    per_minute: int | None = Field(None, ge=0)
    per_day: int | None = Field(None, ge=0)
    per_month: int | None = Field(None, ge=0)
    balance_ussd: str | None = Field(None, pattern=rf"^$|{USSD_CODE}")  # "" asks for nothing
    balance_pattern: str | None = None

    @field_validator("balance_pattern")
    @classmethod
    def has_one_amount(cls, pattern: str | None) -> str | None:
        return pattern and _checked_pattern(pattern)

    @model_validator(mode="after")
    def names_a_modem(self) -> "Line":
        if not (self.port or self.imei or self.iccid):
            raise ValueError("a [[line]] needs one of port, imei or iccid to be found by")
        return self


class Daemon(Section):
    name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=64)
    data: Path = Path("/var/lib/modemd")
    lease_seconds: float = Field(30.0, gt=0)
    only_to: tuple[str, ...] = ()


class Billing(Section):
    drop_folder: bool = True  # this daemon takes files from in/ under [daemon] data and writes results to out/
    results_minutes: float = Field(15.0, gt=0)  # between two looks for results to write


class Service(Section):
    supplier: str = Field("Elektrohold", min_length=1)
    supplier_cyrillic: str = Field("Електрохолд", min_length=1)
    service_number: str = "170077"
    info_line: str = Field("070010010", min_length=1)
    emergency_line: str = Field("070010020", min_length=1)  # of the network company, for "nyama tok"
    language: Language = "bg-Latn"  # for phones that have chosen none
    answers_per_hour: int = Field(10, ge=1)  # to one phone
    answers_per_day: int = Field(30, ge=1)
    answer_seconds: float = Field(15.0, ge=0)  # 95 of 100 questions shall have their answer by then; 0: no such target
    reassembly_hours: float = Field(24.0, gt=0)  # a long message with missing parts is read as it is after this
    identity_key_file: Path | None = None  # the key under which billing gives ЕГН and ЛНЧ (HMAC-SHA256)


class Canned(Section):
    """An answer that a person gives with one click; {supplier}, {info} and {emergency} are filled in."""

    asks: tuple[str, ...] = ()  # what people write that it is the answer to
    texts: dict[Language, str]

    @field_validator("texts")
    @classmethod
    def has_every_language(cls, texts: dict[Language, str]) -> dict[Language, str]:
        missing = [language for language in get_args(Language) if not texts.get(language, "").strip()]
        if missing:
            raise ValueError(f"the text in {missing[0]} is missing")
        return texts


NO_POWER = Canned(
    asks=("nyama tok", "nqma tok", "niama tok", "bez tok", "spria tok", "sprya tok", "spirane na tok", "avaria"),
    texts={
        "bg-Latn": "{supplier}: za lipsa na tok i avarii zvannete na mrezhovoto druzhestvo, denonoshtno: {emergency}."
        " Info {info}",
        "bg-Cyrl": "{supplier}: за липса на ток и аварии звъннете на мрежовото дружество, денонощно: {emergency}."
        " Инфо {info}",
        "en": "{supplier}: for power cuts and faults call the network company, day and night: {emergency}. Info {info}",
    },
)


class Hours(NamedTuple):
    """When bulk may leave: minutes after midnight in Sofia, 1440 for its end, and ISO weekdays (1 is Monday)."""

    opens: int
    closes: int
    weekdays: frozenset[int]
    on_holidays: bool


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS = get_args(Weekday)


class Bulk(Section):
    """What campaigns of a kind keep to."""

    window: str = Field(pattern=rf"^{_TIME}-({_TIME}|24:00)$")  # in Sofia
    days: tuple[Weekday, ...] = Field(min_length=1)
    on_holidays: bool
    portion: int = Field(200, ge=1)  # messages of a campaign that wait in the outbox at a time

    @field_validator("window")
    @classmethod
    def opens_before_it_closes(cls, window: str) -> str:
        opens, closes = window.split("-")
        if opens >= closes:
            raise ValueError(f"{window!r} ends before it begins; write it as 09:00-19:00")
        return window

    @property
    def hours(self) -> Hours:
        opens, closes = (int(at[:2]) * 60 + int(at[3:]) for at in self.window.split("-"))
        return Hours(opens, closes, frozenset(_WEEKDAYS.index(day) + 1 for day in self.days), self.on_holidays)


class Reminders(Bulk):
    window: str = "09:00-19:00"
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    on_holidays: bool = False
    extra_holidays: tuple[date, ...] = ()  # days that the government declares; no working days either
    two_people: bool = True  # a run starts only after somebody else has approved it
    pause_after: int = Field(20, ge=0)  # messages; then a person looks and resumes; 0: no such pause


class Outages(Bulk):
    window: str = "08:00-21:00"
    days: tuple[Weekday, ...] = _WEEKDAYS
    on_holidays: bool = True


class Kind(Section):
    repeatable: bool = False  # in doubt for in_doubt_seconds: sent again once, or held for a person
    in_doubt_seconds: float = Field(86400.0, gt=0)
    validity_hours: float = Field(48.0, gt=0)
    priority: int = Field(5, ge=0, le=9)  # 0 leaves first
    max_attempts: int = Field(5, ge=1)  # after a refusal that may pass


class Kinds(Section):
    reply: Kind = Kind(in_doubt_seconds=3600, priority=0)
    reminder: Kind = Kind(priority=9)
    outage: Kind = Kind(priority=7)
    otp: Kind = Kind(in_doubt_seconds=600, validity_hours=1, priority=1)
    api: Kind = Kind()
    manual: Kind = Kind()

    @model_validator(mode="before")
    @classmethod
    def keep_defaults_of_each_kind(cls, given: Any) -> Any:
        """`[kinds.reply] repeatable = true` changes that key alone: the others keep the kind's own defaults."""
        if not isinstance(given, dict):
            return given
        defaults = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: {**defaults[name], **value} if name in defaults and isinstance(value, dict) else value
            for name, value in given.items()
        }


class Web(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    secret_key_file: Path | None = None  # the panel does not start without it
    force_https: bool = False
    trusted_proxy: str | None = None  # address of the reverse proxy whose X-Forwarded-For and -Proto are believed
    serve: tuple[Literal["panel", "portal", "api"], ...] = Field(("panel",), min_length=1)  # under /, /portal and /api
    socket: Path | None = None  # listen on this unix socket instead of host and port
    watchers: tuple[str, ...] = ("127.0.0.1", "::1")  # addresses or networks that /metrics and /health answer to
    simulated_bank: Path | None = None  # the folder of a simulated bank: gives the panel a phone to play with

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(map(ipaddress.ip_network, self.watchers))

    @field_validator("watchers")
    @classmethod
    def names_addresses(cls, watchers: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_networks(watchers)


class Portal(Section):
    """Where customers register by themselves. A КЕП comes in by a host of its own (systemd/nginx-modemd.conf)."""

    codes_per_hour: int = Field(600, ge=1)  # that are sent to phones, in all
    kep_url: str | None = None  # of the certificates' host, "https://kep.example.bg"; None: no door for a КЕП
    url: str | None = None  # of the portal's own host, where a КЕП leads back to
    kep_issuers_file: Path | None = None  # PEM: the issuers whose certificates count
    kep_crl_folder: Path | None = None  # their revocation lists, *.crl, kept fresh
    kep_crl_urls: tuple[str, ...] = ()  # where `modemd kep crl` fetches them, "http://crl.example.bg/qualified.crl"
    proxy_secret_file: Path | None = None  # what the proxy sends along, so that it is known
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # addresses that it comes from

    @property
    def has_kep(self) -> bool:
        """Whether everything that the door of the КЕП needs is set."""
        needed = (self.kep_url, self.url, self.kep_issuers_file, self.kep_crl_folder, self.proxy_secret_file)
        return all(needed)

    @field_validator("kep_crl_urls")
    @classmethod
    def are_of_the_web(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
                raise ValueError(f"{url!r} is no address of a list; write it as http://crl.example.bg/qualified.crl")
        return urls

    @model_validator(mode="after")
    def has_all_of_kep_or_nothing(self) -> "Portal":
        if self.kep_url is not None and not self.has_kep:
            raise ValueError("kep_url needs url, kep_issuers_file, kep_crl_folder and proxy_secret_file beside it")
        return self


class Alerts(Section):
    """Who is told what is wrong, and from when on it is."""

    email_to: tuple[str, ...] = ()
    email_from: str = "modemd@localhost"
    relay: str = Field("localhost:25", pattern=r"^.+:\d+$")  # the mail server that takes it, host:port
    relay_tls: Literal["none", "starttls", "tls"] = "none"
    relay_user: str | None = None
    relay_password_file: Path | None = None
    emails_per_hour: int = Field(10, ge=1)
    sms_to: tuple[str, ...] = ()  # technicians' phones
    sms_per_day: int = Field(10, ge=1)  # to each of them
    quiet: str = Field("22:00-07:00", pattern=rf"^$|^{_TIME}-{_TIME}$")  # no SMS then, in Sofia; "": none is quiet
    after_seconds: float = Field(120.0, ge=0)  # what passes sooner by itself is not told
    repeat_hours: float = Field(24.0, gt=0)  # told again while it lasts
    pause_minutes: float = Field(60.0, ge=0)  # not told anew before, when it comes and goes
    answer_minutes: float = Field(5.0, gt=0)  # that an answer or a code may wait
    queue_hours: float = Field(12.0, gt=0)  # that anything else may wait that could leave
    doubts: int = Field(5, ge=0)  # parts in doubt within an hour
    silence_minutes: float = Field(60.0, ge=0)  # without a text on a line that usually has some at this time; 0: never
    silence_usual: int = Field(10, ge=1)  # texts in such a time, in each of the last three weeks
    disk_mib: int = Field(500, ge=0)  # free for database and data

    def is_quiet(self, now: datetime) -> bool:
        begins, _, ends = self.quiet.partition("-")
        at = f"{now.astimezone(SOFIA):%H:%M}"
        return begins <= at < ends if begins <= ends else at >= begins or at < ends


class Api(Section):
    kannel: bool = False  # also answer at /cgi-bin/sendsms, as Kannel does


class Webhooks(Section):
    """Other programs are told of what came in, and of what became of their messages."""

    enabled: bool = False  # this daemon tells them
    allow_networks: tuple[str, ...] = ()  # that may be told beside public addresses: "10.1.0.0/16", "127.0.0.1/32"
    timeout_seconds: float = Field(10.0, gt=0)  # for an answer

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(map(ipaddress.ip_network, self.allow_networks))

    @field_validator("allow_networks")
    @classmethod
    def names_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_networks(networks)


class Mail(Section):
    """Letters of the house's own mail server become SMS."""

    lmtp: str = ""  # listen on "127.0.0.1:2424" or on a socket, "/run/modemd/lmtp.sock"; "": nowhere
    senders: tuple[str, ...] = ()  # who may: "ana@example.bg", or "@example.bg" for all of a domain
    prefixes: tuple[str, ...] = ("+359",)  # of the numbers that letters may go to
    per_hour: int = Field(60, ge=1)  # SMS of one sender

    @field_validator("lmtp")
    @classmethod
    def stays_in_the_house(cls, place: str) -> str:
        if not place or place.startswith("/"):
            return place
        host, _, port = place.rpartition(":")
        if not port.isdigit() or not host or not ipaddress.ip_address(host.strip("[]")).is_loopback:
            raise ValueError(f"{place!r} is neither a loopback address with a port (127.0.0.1:2424) nor a path")
        return place


class Forward(Section):
    """SMS that come in go to these addresses as letters, through the relay of [alerts]."""

    name: str = Field(pattern=r"^[a-z0-9._-]{1,64}$")
    to: tuple[str, ...] = Field(min_length=1)
    numbers: tuple[str, ...] = ()  # senders' numbers begin so; none named: any
    words: tuple[str, ...] = ()  # one of them stands in the text; none named: any text
    lines: tuple[str, ...] = ()  # they came by one of these; none named: by any


class Settings(Section):
    database: Database = Database()
    bank: Bank = Bank()
    daemon: Daemon = Daemon()
    line: tuple[Line, ...] = ()
    billing: Billing = Billing()
    service: Service = Service()
    kinds: Kinds = Kinds()
    reminders: Reminders = Reminders()
    outages: Outages = Outages()
    web: Web = Web()
    portal: Portal = Portal()
    alerts: Alerts = Alerts()
    api: Api = Api()
    webhooks: Webhooks = Webhooks()
    mail: Mail = Mail()
    forward: tuple[Forward, ...] = ()
    canned: dict[str, Canned] = Field(default_factory=lambda: {"no_power": NO_POWER})

    def line_of(self, port: str, imei: str | None, iccid: str | None) -> Line | None:
        """The [[line]] entry that names this modem, if there is one."""
        for line in self.line:
            if port == line.port or (imei and imei == line.imei) or (iccid and iccid == line.iccid):
                return line
        return None

    def limits_of(self, port: str, imei: str | None, iccid: str | None) -> Limits:
        """What the SIM in this modem may send, as the file says."""
        limits = Limits(self.bank.per_minute, self.bank.per_day, self.bank.per_month)
        own = self.line_of(port, imei, iccid)
        return limits if own is None else limits.but(own.per_minute, own.per_day, own.per_month)

    @field_validator("canned")
    @classmethod
    def keep_the_answer_to_no_power(cls, given: dict[str, Canned]) -> dict[str, Canned]:
        return {"no_power": NO_POWER, **given}

    @field_validator("line")
    @classmethod
    def no_modem_twice(cls, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        for key in ("port", "imei", "iccid", "name"):
            seen = [value for line in lines if (value := getattr(line, key))]
            for value in seen:
                if seen.count(value) > 1:
                    raise ValueError(f"two [[line]] entries have {key} = {value!r}; keep one")
        return lines


def load(path: Path) -> Settings:
    """Read the settings file. Raises SettingsError with the key, the line's fault and the nearest key that exists."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(path=path, reason="the file does not exist.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(path=path, reason=f"{error}.") from error
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(path=path, reason=" ".join(_explain(fault) for fault in error.errors())) from error


def _explain(fault: Any) -> str:
    where = tuple(fault["loc"])
    if fault["type"] == "tuple_type":
        return f'{_dotted(where)}: write a list, in square brackets: ["…"].'
    if fault["type"] != "extra_forbidden":
        return f"{_dotted(where)}: {fault['msg'].removeprefix('Value error, ')}."
    known = _keys_of(where[:-1])
    nearest = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0)
    return f"{_dotted(where)} is no setting; the nearest one is {_dotted((*where[:-1], *nearest))}."


def _dotted(where: tuple[Any, ...]) -> str:
    return ".".join(str(step) for step in where if not isinstance(step, int))


def _keys_of(where: tuple[Any, ...]) -> list[str]:
    model: Any = Settings
    for step in where:
        if isinstance(step, int):
            continue
        if get_origin(model) is dict:  # [canned.<name>]
            model = get_args(model)[1]
        else:
            model = {"line": Line, "forward": Forward}.get(step) or model.model_fields[step].annotation
    return list(model.model_fields)
