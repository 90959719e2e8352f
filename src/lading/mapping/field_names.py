"""What the fields of a record may be called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lading.messages import shown
from lading.model.rowsets import Member, RowSet

#: Characters that JSON would have to escape in a field's name.
UNWRITABLE = re.compile(r'["\\\x00-\x1f]')


def name_faults(rows: RowSet) -> Iterator[str]:
    """Yield what is wrong with the names under which a row set's members are written."""
    seen: dict[str, Member] = {}
    for member in rows.members:
        if not isinstance(member.written, str):
            yield f"{member.name}: data_key = {shown(member.written)}; write a string"
            continue
        if UNWRITABLE.search(member.written):
            yield (
                f"{member.name} would be written as {member.written!r}, and no field's name may "
                "have quotes, backslashes or control characters; give it another data_key"
            )
        other = seen.setdefault(member.written, member)
        if other is not member:
            remedy = "give one a data_key"
            if other.name == member.name:
                remedy = (
                    "name the attributes of the classes that have it apart, or move it to a class "
                    "above them"
                )
            yield f"two fields would be written as {member.written!r}; {remedy}"
