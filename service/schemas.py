"""Bodies of requests. Answers are the dataclasses of `triage.types`."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Discriminator, Field, SkipValidation, Tag

from triage.types import SentimentLabel, Speaker

BATCH_LIMIT = 1_000
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_EXAMPLE = {
    "text": "昨天在手机银行转账五万元，钱扣了对方一直没收到，请尽快处理。",
    "channel": "app",
    "region": "广东",
    "source": "crm",
    "source_id": "2026-000123",
}


def _encodable(text: str) -> str:
    # JSON can escape half of a surrogate pair; no database takes it.
    if _HALF_PAIR.search(text):
        raise ValueError("half of a surrogate pair is not a character")
    return text


Text = Annotated[str, AfterValidator(_encodable)]


class TurnIn(BaseModel):
    """One utterance of a call or chat."""

    model_config = ConfigDict(extra="forbid")
    speaker: Speaker
    text: Text
    time: datetime | None = None


class ComplaintIn(BaseModel):
    """A complaint: `text`, or the `turns` of a conversation."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})
    text: Text = ""
    turns: list[TurnIn] = Field(default_factory=list)
    channel: Text = Field("", max_length=64, description="Key, Chinese name or alias of a channel; left out: other.")
    region: Text = Field("", max_length=64, description="GB/T 2260 code or name of a province or city; left out: unknown.")
    time: datetime | None = Field(None, description="Left out: now. Without a zone: Beijing time.")
    source: Text = Field("api", min_length=1, max_length=64, description="The sending system.")
    source_id: Text | None = Field(
        None,
        max_length=200,
        validation_alias=AliasChoices("source_id", "id"),
        description="The sender's own id (also taken as `id`): the same id of the same source is stored once.",
    )


class BatchIn(BaseModel):
    """Up to 1,000 complaints; each is checked by itself, so that a bad one does not keep the others out."""

    model_config = ConfigDict(extra="forbid")
    complaints: Annotated[list[SkipValidation[ComplaintIn]], Field(min_length=1, max_length=BATCH_LIMIT)]


def _kind(body: object) -> str:
    return SEVERAL if isinstance(body, dict) and "complaints" in body else ONE


ONE, SEVERAL = "(one)", "(several)"
"""Which of the two a body of `POST tag` is; in brackets, because they also stand in the place of an error and are no fields."""
OneOrSeveral = Annotated[Annotated[ComplaintIn, Tag(ONE)] | Annotated[BatchIn, Tag(SEVERAL)], Discriminator(_kind)]


class CorrectionIn(BaseModel):
    """What a person says the labels should be; only the fields to change."""

    model_config = ConfigDict(extra="forbid")
    person: Text = Field("", max_length=64, description="Who says so; may be left out where the API key names the person.")
    category: Text | None = None
    severity: Literal[1, 2, 3, 4] | None = None
    sentiment: SentimentLabel | None = None
    reason: Text = Field("", max_length=2_000)


class VerdictIn(BaseModel):
    """A person's verdict on a hotspot."""

    model_config = ConfigDict(extra="forbid")
    person: Text = Field("", max_length=64, description="Who says so; may be left out where the API key names the person.")
    reason: Text = Field("", max_length=2_000)
