"""A timeline cut into pages: it is no queryset, and all the rest is as with other lists."""

from functools import cached_property
from typing import Any

from iacplatform.base import pages


class TimelinePaginator(pages.BoundedPaginator):
    """Counts a timeline up to the limit."""

    @cached_property
    def _counted(self) -> int:
        entries: Any = self.object_list
        return int(entries.count_up_to(pages.EXACT_UP_TO + 1))


class TimelinePages(pages.Pages):
    """The pages of a timeline."""

    django_paginator_class = TimelinePaginator
