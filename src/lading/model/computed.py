"""Results that are computed once from plain data, and kept as long as the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

Options = ParamSpec("Options")
Result = TypeVar("Result")
Source = TypeVar("Source", bound="Computed")


class Computed:
    """Keeps the results of functions of an object.

    A catalog that gets a further schema or change derives new entities and row sets, so nothing
    grows stale.  What is kept is shared, so nobody may alter it.
    """

    __slots__ = ("_results",)

    _results: dict[Any, Any]

    def once(self, compute: Callable[..., Result], *options: Any) -> Result:
        """Return what a function makes of this object, computed at the first call.

        Args:
            compute: A function of the object and ``options``; the same one at each call.
            options: What the result depends on beside the object; hashable.

        Returns:
            The same object at each call.
        """
        try:
            results = self._results
        except AttributeError:
            results = self._results = {}
        key = (compute, options)
        if key not in results:
            results.setdefault(key, compute(self, *options))
        result: Result = results[key]
        return result


def computed_once(
    compute: Callable[Concatenate[Source, Options], Result],
) -> Callable[Concatenate[Source, Options], Result]:
    """Have a function compute its result once for each object; see :meth:`Computed.once`."""

    @wraps(compute)
    def remembered(source: Source, /, *args: Options.args, **kwargs: Options.kwargs) -> Result:
        assert not kwargs, "what a result depends on is given by position"
        return source.once(compute, *args)

    return remembered
