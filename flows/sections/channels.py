"""The section `alerts.channels`: where notices go."""

from typing import Annotated

import msgspec

from flows.sections.base import Section


class ChannelSection(Section, frozen=True, tag_field="type"):
    """What all channels have in common.

    Attributes
    ----------
    cap_per_hour
        most messages in any hour; what is above comes in one digest, once there is room again
    max_attempts
        how often a message is tried; then it is a dead letter
    """

    cap_per_hour: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 20
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 40


class StdoutConfig(ChannelSection, frozen=True, tag="stdout"):
    """Standard output."""


ChannelConfig = StdoutConfig
"""Any of them, told apart by `type`."""
