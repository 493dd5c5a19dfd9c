"""Notices to a topic of Amazon SNS."""

from typing import Any, Protocol

from alerts.channels.base import TIMEOUT_S, RefusedError, TryAgainError
from alerts.channels.cloud_event import cloud_event
from alerts.channels.secrets import SetupError, hush
from alerts.notices import Notice
from alerts.templating import Templates
from alerts.wording import view_of

try:
    import boto3  # type: ignore[import-untyped]  # carries no types
    from botocore.config import Config  # type: ignore[import-untyped]  # carries no types
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # as above
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]  # as above
except ModuleNotFoundError as error:
    raise SetupError("channels of type sns need the extra 'sns': pip install 'driftflow[sns]'") from error

MOST_SUBJECT, MOST_BYTES, MOST_GROUP = 100, 262_144, 128
"""ASCII characters of a subject, bytes of a message, characters of a group (Amazon SNS, Publish)."""

_LATER = {"Throttling", "ThrottlingException", "ThrottledException", "RequestTimeout", "InternalError"}
_LATER |= {"KMSThrottling", "KMSThrottlingException", "ServiceUnavailable", "RequestExpired"}
_FIRST_ERROR, _TOO_MANY = 500, 429

hush("boto3", "botocore", "urllib3")


class SnsClient(Protocol):
    """What is used of boto3's client."""

    def publish(self, **given: Any) -> Any:  # noqa: ANN401 - boto3 carries no types
        """Publish one message."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


def sns_client(*, region: str | None, endpoint: str | None, timeout_s: float = TIMEOUT_S) -> SnsClient:
    """Connect with AWS's own chain of credentials; one attempt a call.

    Raises
    ------
    SetupError
        There is no region.
    """
    once = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    try:
        made: SnsClient = boto3.client("sns", region_name=region, endpoint_url=endpoint, config=once)
    except (BotoCoreError, ValueError) as error:
        raise SetupError(f"SNS: {error}") from None
    return made


class SnsChannel:
    """Publishes text, or a CloudEvent with ``json``; the id of the notice is an attribute.

    On topics whose name ends in ``.fifo`` messages are in order by model, and repeats are dropped by SNS.
    """

    def __init__(
        self,
        name: str,
        client: SnsClient,
        topic_arn: str,
        templates: Templates,
        *,
        json: bool = False,
        dashboard: str = "",
    ) -> None:
        self._name = name
        self._client = client
        self._topic_arn = topic_arn
        self._templates = templates
        self._json = json
        self._dashboard = dashboard

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        view = view_of(notice, dashboard=self._dashboard, most=20)
        subject = self._templates.title(view).encode("ascii", "replace").decode()[:MOST_SUBJECT]
        body = cloud_event(notice).decode() if self._json else self._templates.text(view)
        given: dict[str, Any] = {
            "TopicArn": self._topic_arn,
            "Subject": subject,
            "Message": _cut(body),
            "MessageAttributes": {
                "notice": {"DataType": "String", "StringValue": notice.id},
                "cause": {"DataType": "String", "StringValue": notice.cause.value},
                "severity": {"DataType": "String", "StringValue": view.severity},
            },
        }
        if self._topic_arn.endswith(".fifo"):
            group = "".join(char for char in notice.model if char.isascii() and char.isprintable())
            given |= {"MessageGroupId": group[:MOST_GROUP], "MessageDeduplicationId": notice.id}
        failure = self._failure(given)
        # Raised here and not above: errors of botocore hold the request.
        if failure is not None:
            permanent, told = failure
            said = f"SNS ({self._name}): {told}"
            raise RefusedError(said) if permanent else TryAgainError(said)

    def _failure(self, given: dict[str, Any]) -> tuple[bool, str] | None:
        try:
            self._client.publish(**given)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            later = code in _LATER or status >= _FIRST_ERROR or status == _TOO_MANY
            return not later, f"answered {status} {code}"
        except (BotoCoreError, ResponseParserError) as error:
            return False, f"no answer ({type(error).__name__})"
        return None

    def close(self) -> None:
        """See `Channel.close`."""
        self._client.close()


def _cut(text: str) -> str:
    """Cut to what SNS takes, at a character's end."""
    encoded = text.encode()
    return text if len(encoded) <= MOST_BYTES else encoded[: MOST_BYTES - 3].decode(errors="ignore") + "…"
