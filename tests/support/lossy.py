"""Types and fields of an application's own: some that lose something, and some that don't."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from marshmallow import fields

from support.drawn.kit import NAIVE


class Stripped(sa.TypeDecorator[str]):
    """Text that is kept whole, and read without the blanks around it."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else str(value).strip()


class Coarse(sa.TypeDecorator[dt.datetime]):
    """A moment that is kept to the microsecond, and read to the second."""

    impl = NAIVE
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> dt.datetime | None:
        return None if value is None else value.replace(microsecond=0)


class Absent(sa.TypeDecorator[str]):
    """Text of which the empty one is read as null."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        return value or None


class Address(sa.TypeDecorator[str]):
    """Text that is put into small letters on its way in, and read as it is kept."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else value.lower()


class Rounded(sa.TypeDecorator[Decimal]):
    """A decimal that is rounded on its way in, maybe to one digit more before the point."""

    impl = sa.Numeric
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value if value is None else round(value, 2)

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return value


class Passed(sa.TypeDecorator[Decimal]):
    """A decimal that is given on as it is, NaN and infinities too."""

    impl = sa.Numeric
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return value


class Documents(sa.TypeDecorator[Any]):
    """JSON as it is."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value


class LosesWriting(fields.String):
    """A field that writes texts without the blanks around them."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:
        return None if value is None else value.strip()


class LosesReading(fields.String):
    """A field that reads texts without the blanks around them."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        return super()._deserialize(value, attr, data, **options).strip()


class LosesBlanks(fields.String):
    """A field that writes null for a blank text, and reads no null."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:
        return value if value is None or value.strip() else None


class Turned(fields.String):
    """A field that writes texts backwards, and turns them again."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:
        return None if value is None else value[::-1]

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        return super()._deserialize(value, attr, data, **options)[::-1]
