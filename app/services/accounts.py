"""Registration, log-in, and whose session a token is."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from contextlib import suppress

from app.database import attempts, users
from app.database.pool import Database
from app.problems import Invalid, TooMany, Unauthorized, Unavailable
from app.services import networks, validation
from app.services.passwords import Passwords
from app.settings import Probe
from observability.instrument.events import Events, LoggedIn, Registered

SESSION_SECONDS = 30 * 24 * 3600
# Failed log-ins allowed within the window from one network: to one account, and to all accounts.
# There is no limit for an account from all networks: it would let anyone lock its owner out.
THROTTLE_SECONDS = 300
ACCOUNT_FAILURES = 10
NETWORK_FAILURES = 50
PROBE_SESSION_SECONDS = 60
NAME_TAKEN = "The username is already taken"


class Accounts:
    """The rules for users and sessions."""

    def __init__(
        self, database: Database, passwords: Passwords, events: Events, probe: Probe
    ) -> None:
        self._probe, self._probe_exists = probe, False
        self._database = database
        self._passwords = passwords
        self._events = events

    async def register(
        self, username: object, email: object, password: object, latest: int | None = None
    ) -> None:
        """Add a user. Raises Invalid with the contract's text, in the contract's order."""
        try:
            name = validation.required(
                username, "You have to enter a username", validation.NAME_LENGTH
            )
            bad_email = "You have to enter a valid email address"
            email_address = validation.required(email, bad_email, validation.EMAIL_LENGTH)
            if "@" not in email_address:
                raise Invalid(bad_email)
            plain = validation.required(
                password, "You have to enter a password", validation.PASSWORD_LENGTH
            )
        except Invalid:
            self._events.emit(Registered("invalid"))
            raise
        # Looked up first: nothing is hashed for a name that is taken. The unique index decides.
        async with self._passwords.queue.register():
            added = not await users.exists(self._database, name) and await users.add(
                self._database, name, email_address, await self._passwords.hash(plain), latest
            )
        self._events.emit(Registered("ok" if added else "username_taken"))
        if not added:
            raise Invalid(NAME_TAKEN)

    async def log_in(self, username: object, password: object, address: str) -> str:
        """Start a session for a client at ``address`` and return its token.

        Raises Unauthorized with the contract's text, TooMany after too many failures.
        """
        async with self._passwords.queue.log_in():
            return await self._log_in(username, password, address)

    async def _log_in(self, username: object, password: object, address: str) -> str:
        name = username if isinstance(username, str) and validation.name(username) else ""
        probe = self._is_probe(name, password)
        network = networks.network_of(address)
        keys = _key("account", f"{network} {name}"), _key("address", network)
        if not probe:
            await self._throttle(*keys)
        known = await users.password_hash(self._database, name)
        if known is None:
            self._events.emit(LoggedIn("unknown_user"))
            raise Unauthorized("Invalid username")
        user_id, pw_hash = known
        if not await self._verified(pw_hash, password):
            self._events.emit(LoggedIn("wrong_password"))
            raise Unauthorized("Invalid password")
        if self._passwords.outdated(pw_hash):
            fresh = await self._passwords.hash(str(password))
            await users.replace_hash(self._database, user_id, pw_hash, fresh)
        if not probe:
            await attempts.reset(self._database, *keys)
        token = secrets.token_urlsafe(32)
        seconds = PROBE_SESSION_SECONDS if probe else SESSION_SECONDS
        await self._start_session(token, user_id, seconds)
        self._events.emit(LoggedIn("ok"), counted=not probe)
        return token

    async def _start_session(self, token: str, user_id: int, seconds: float) -> None:
        """Start a session; delete it if the request is cancelled meanwhile."""
        try:
            await users.add_session(self._database, digest(token), user_id, seconds)
        except asyncio.CancelledError:
            with suppress(Unavailable):
                await users.end_session(self._database, digest(token))
            raise

    def _is_probe(self, name: str, password: object) -> bool:
        """Return whether this is the probe user with its password.

        With a wrong password it is throttled like any other user.
        """
        expected = self._probe.password.reveal()
        given = password if isinstance(password, str) and validation.storable(password) else ""
        same = hmac.compare_digest(given.encode(), expected.encode())
        return bool(self._probe.user) and name == self._probe.user and same

    async def ensure_probe_user(self) -> None:
        """Create the probe user, or give it the password of the settings."""
        name, password = self._probe.user, self._probe.password.reveal()
        if not name or self._probe_exists:
            return
        known = await users.password_hash(self._database, name)
        if known is None:
            address, pw_hash = f"{name}@localhost", await self._passwords.hash(password)
            await users.add(self._database, name, address, pw_hash, None)
        elif not await self._passwords.verify(known[1], password):
            fresh = await self._passwords.hash(password)
            await users.replace_hash(self._database, known[0], known[1], fresh)
        self._probe_exists = True

    async def _throttle(self, account: str, network: str) -> None:
        of_account, of_network, seconds_left = await attempts.count(
            self._database, account, network, THROTTLE_SECONDS
        )
        if of_account > ACCOUNT_FAILURES or of_network > NETWORK_FAILURES:
            self._events.emit(LoggedIn("throttled"))
            raise TooMany(seconds_left)

    async def _verified(self, pw_hash: str, password: object) -> bool:
        if not isinstance(password, str) or not 0 < len(password) <= validation.PASSWORD_LENGTH:
            return False
        return validation.storable(password) and await self._passwords.verify(pw_hash, password)

    async def log_out(self, token: str | None) -> None:
        """End a session. Raises Unauthorized if there is none or it has expired."""
        if not token or not await users.end_session(self._database, digest(token)):
            raise Unauthorized

    async def session_user(self, token: str | None) -> str:
        """Return the user name of a token; raise Unauthorized if it is invalid."""
        name = await users.session_user(self._database, digest(token)) if token else None
        if name is None:
            raise Unauthorized
        return name


def _key(kind: str, value: str) -> str:
    """Return a key of fixed length that hides the account from readers of the table."""
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()}"


def digest(token: str) -> bytes:
    """Return the stored form of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
