"""The OpenAPI document at ``/api/openapi.json``; a test compares it with the routes."""

from __future__ import annotations

from typing import Any

from app import VERSION
from app.services import validation

Json = dict[str, Any]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Json | None = None) -> Json:
    content = {"application/json": {"schema": schema}} if schema else None
    return {"description": description} | ({"content": content} if content else {})


def _text(length: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": length, "pattern": r"^[^\u0000]+$"}


def _object(required: dict[str, Json], **optional: Json) -> Json:
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
    }


_NAME = _text(validation.NAME_LENGTH)
_NAMED = {"name": "username", "in": "path", "required": True, "schema": _NAME}
# The contract asks for leniency here: what is no number is no error.
_LENIENT = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
_LATEST = {
    "name": "latest",
    "in": "query",
    "description": "The number of the simulator's action, recorded whatever becomes of the request;"
    " ignored where it is negative or no number.",
    "schema": _LENIENT,
}
_NO = {
    "name": "no",
    "in": "query",
    "description": "How many entries are wanted; capped, 100 where it is no number.",
    "schema": _LENIENT | {"default": 100},
}
_BEFORE = {
    "name": "before",
    "in": "query",
    "description": "The cursor of an earlier page, from its `older`.",
    "schema": {"type": "string", "pattern": r"^(-?[0-9]{1,18}\.[0-9]{1,18})?$"},
}
_OLDER = {"type": ["string", "null"]}
_SCHEMAS: Json = {
    "Error": _object(
        {
            "status": {"type": "integer"},
            "error_msg": {"type": "string"},
            "request_id": {"type": "string"},
        }
    ),
    "Messages": {
        "type": "array",
        "items": _object(
            {"content": {"type": "string"}, "pub_date": {"type": "integer"}, "user": _NAME}
        ),
    },
    "Timeline": _object(
        {
            "viewer": {"type": ["string", "null"]},
            "profile": {"type": ["string", "null"]},
            "following": {"type": ["boolean", "null"]},
            "older": _OLDER,
            "messages": {
                "type": "array",
                "items": _object(
                    {"user": _NAME, "text": {"type": "string"}, "pub_date": {"type": "integer"}}
                ),
            },
        }
    ),
    "Follows": _object({"follows": {"type": "array", "items": _NAME}}),
    "Latest": _object({"latest": {"type": "integer", "minimum": -1}}),
    "Session": _object({"token": {"type": "string"}, "username": _NAME}),
    "Registration": _object(
        {
            "username": _NAME,
            "email": _text(validation.EMAIL_LENGTH) | {"pattern": r"^[^\u0000]*@[^\u0000]*$"},
            "pwd": _text(validation.PASSWORD_LENGTH),
        }
    ),
    "Content": _object({"content": _text(validation.MESSAGE_LENGTH)}),
    "Text": _object({"text": _text(validation.MESSAGE_LENGTH)}),
    "Follow": {"anyOf": [_object({"follow": _NAME}), _object({"unfollow": _NAME})]},
    "LogIn": _object({"username": _NAME, "password": _text(validation.PASSWORD_LENGTH)}),
}
_REASONS = {
    400: "The request makes no sense as it is",
    401: "Nobody is logged in, or the log-in failed",
    403: "The simulator's credentials are missing or wrong",
    404: "There is no such user",
    413: "The body is too large",
    429: "Too many failed log-ins",
    503: "The service cannot answer now, or too many ask at once",
}


def _operation(
    name: str,
    success: str | None,
    errors: tuple[int, ...] = (),
    parameters: tuple[Json, ...] = (),
    body: str | None = None,
    security: tuple[str, ...] = (),
) -> Json:
    """Build one operation of the document.

    ``success`` is the schema of a 200, or None for an empty 204. ``security`` lists the schemes of
    which one is required; '' among them makes authentication optional.
    """
    answers = {str(code): _answer(_REASONS[code], _ref("Error")) for code in (*errors, 503)}
    answers["200" if success else "204"] = _answer("Done", _ref(success) if success else None)
    operation: Json = {"operationId": name, "responses": answers, "parameters": list(parameters)}
    if body:
        content = {"application/json": {"schema": _ref(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if security:
        operation["security"] = [{scheme: []} if scheme else {} for scheme in security]
    return operation


_BASIC, _BEARER = "simulator", "session"
_SIM, _USER, _ANYONE = (_BASIC,), (_BEARER,), ("", _BEARER)
_PATHS: Json = {
    "/latest": {"get": _operation("latest", "Latest")},
    "/register": {
        "post": _operation("register", None, (400, 413), (_LATEST,), "Registration"),
    },
    "/msgs": {"get": _operation("newest", "Messages", (403,), (_LATEST, _NO), None, _SIM)},
    "/msgs/{username}": {
        "get": _operation("newest_by", "Messages", (403, 404), (_NAMED, _LATEST, _NO), None, _SIM),
        "post": _operation("post", None, (400, 403, 404, 413), (_NAMED, _LATEST), "Content", _SIM),
    },
    "/fllws/{username}": {
        "get": _operation("follows", "Follows", (403, 404), (_NAMED, _LATEST, _NO), None, _SIM),
        "post": _operation("follow", None, (400, 403, 404, 413), (_NAMED, _LATEST), "Follow", _SIM),
    },
    "/api/sessions": {
        "post": _operation("log_in", "Session", (400, 401, 413, 429), (), "LogIn"),
    },
    "/api/session": {"delete": _operation("log_out", None, (401,), (), None, _USER)},
    "/api/timelines/public": {
        "get": _operation("public", "Timeline", (400,), (_BEFORE,), None, _ANYONE),
    },
    "/api/timelines/home": {
        "get": _operation("home", "Timeline", (400, 401), (_BEFORE,), None, _USER)
    },
    "/api/timelines/user/{username}": {
        "get": _operation("user", "Timeline", (400, 404), (_NAMED, _BEFORE), None, _ANYONE)
    },
    "/api/messages": {"post": _operation("post_as_user", None, (400, 401, 413), (), "Text", _USER)},
    "/api/follows/{username}": {
        "put": _operation("follow_as_user", None, (401, 404), (_NAMED,), None, _USER),
        "delete": _operation("unfollow_as_user", None, (401, 404), (_NAMED,), None, _USER),
    },
    "/api/openapi.json": {
        "get": {
            "operationId": "openapi",
            "responses": {"200": _answer("This document", {"type": "object"})},
        }
    },
}

DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "MiniTwit", "version": VERSION},
    "paths": _PATHS,
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {
            _BASIC: {"type": "http", "scheme": "basic"},
            _BEARER: {"type": "http", "scheme": "bearer"},
        },
    },
}
