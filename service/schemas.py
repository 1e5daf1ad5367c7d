"""Bodies of requests. Answers are the dataclasses of `triage.types`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SkipValidation

from triage.types import SentimentLabel, Speaker

BATCH_LIMIT = 1_000
_EXAMPLE = {
    "text": "昨天在手机银行转账五万元，钱扣了对方一直没收到，请尽快处理。",
    "channel": "app",
    "region": "广东",
    "source": "crm",
    "source_id": "2026-000123",
}


class TurnIn(BaseModel):
    """One utterance of a call or chat."""

    model_config = ConfigDict(extra="forbid")
    speaker: Speaker
    text: str
    time: datetime | None = None


class ComplaintIn(BaseModel):
    """A complaint: `text`, or the `turns` of a conversation."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})
    text: str = ""
    turns: list[TurnIn] = Field(default_factory=list)
    channel: str = Field("", max_length=64, description="Key, Chinese name or alias of a channel; left out: other.")
    region: str = Field("", max_length=64, description="GB/T 2260 code or name of a province or city; left out: unknown.")
    time: datetime | None = Field(None, description="Left out: now. Without a zone: Beijing time.")
    source: str = Field("api", min_length=1, max_length=64, description="The sending system.")
    source_id: str | None = Field(
        None,
        max_length=200,
        validation_alias=AliasChoices("source_id", "id"),
        description="The sender's own id (also taken as `id`): the same id of the same source is stored once.",
    )


class BatchIn(BaseModel):
    """Up to 1,000 complaints; each is checked by itself, so that a bad one does not keep the others out."""

    model_config = ConfigDict(extra="forbid")
    complaints: Annotated[list[SkipValidation[ComplaintIn]], Field(min_length=1, max_length=BATCH_LIMIT)]


class CorrectionIn(BaseModel):
    """What a person says the labels should be; only the fields to change."""

    model_config = ConfigDict(extra="forbid")
    person: str = Field("", max_length=64, description="Who says so; may be left out where the API key names the person.")
    category: str | None = None
    severity: Literal[1, 2, 3, 4] | None = None
    sentiment: SentimentLabel | None = None
    reason: str = Field("", max_length=2_000)


class VerdictIn(BaseModel):
    """A person's verdict on a hotspot."""

    model_config = ConfigDict(extra="forbid")
    person: str = Field("", max_length=64, description="Who says so; may be left out where the API key names the person.")
    reason: str = Field("", max_length=2_000)
