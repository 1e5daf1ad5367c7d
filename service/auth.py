"""API keys: who a request comes from and what it may do."""

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from service.settings import ApiKey, Role
from triage.errors import InputError

_bearer = HTTPBearer(auto_error=False, description="A key from TRIAGE_API_KEYS; not asked for where the service runs without keys.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request; `person` is empty where the service runs without keys."""

    person: str

    def signing(self, stated: str) -> str:
        """The name that goes into a history: the key's own, else what the body states. Raises: InputError when there is neither."""
        name = self.person or stated.strip()
        if not name:
            raise InputError("person", stated, "the name of the person who decides")
        return name


def _find(keys: tuple[ApiKey, ...], presented: str) -> ApiKey | None:
    # Compares with every key in constant time, so that the time taken tells nothing.
    matches = [key for key in keys if hmac.compare_digest(key.key.encode(), presented.encode())]
    return matches[0] if matches else None


def _caller(request: Request, credentials: HTTPAuthorizationCredentials | None, allowed: tuple[Role, ...]) -> Caller:
    settings = request.state.settings
    if not settings.needs_keys:
        return Caller("")
    key = _find(settings.api_keys, credentials.credentials) if credentials else None
    if key is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "Authorization: expected `Bearer KEY` with a key of this service", headers)
    if key.role not in allowed:
        raise HTTPException(HTTPStatus.FORBIDDEN, f"role: got {key.role}, expected {' or '.join(allowed)}")
    return Caller(key.person)


def ingesting(request: Request, credentials: Credentials) -> Caller:
    """Whoever may send complaints. Raises: HTTPException 401 or 403."""
    return _caller(request, credentials, ("ingest", "operate"))


def operating(request: Request, credentials: Credentials) -> Caller:
    """Whoever may read and decide. Raises: HTTPException 401 or 403."""
    return _caller(request, credentials, ("operate",))


Ingesting = Annotated[Caller, Depends(ingesting)]
Operating = Annotated[Caller, Depends(operating)]
