"""Ends a request whose body is larger than any that is wanted, while it comes."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import problem


class BodyLimit:
    """ASGI middleware that counts the bytes of a body: its length may not be told, or be a lie.

    Parameters
    ----------
    most
        Bytes of a body at most.
    uploads
        The same, for paths that take files: those that end with one of `endings`.
    """

    def __init__(self, app: ASGIApp, *, most: int, uploads: int, endings: tuple[str, ...]) -> None:
        self._app = app
        self._most = most
        self._uploads = uploads
        self._endings = endings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and end it where it grows too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._uploads if scope["path"].rstrip("/").endswith(self._endings) else self._most
        detail = f"The body has more than {most:,} bytes."
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > most:
            # The rest is not read, so the connection cannot be used for another request.
            await problem(413, detail, headers={"Connection": "close"})(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413, detail, headers={"Connection": "close"})
            return message

        await self._app(scope, counted, send)
