"""Chapter five: the people, the calendar, and who gets what."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from ..models import (
    Event,
    EventRecipientPackage,
    EventState,
    FulfillmentStatus,
    Recipient,
)
from . import events_data as data
from .diary import CLOSING, OPENING, Diary, at, stamps
from .kitchen import Book
from .tables import cells, table


def plan_events(diary: Diary, book: Book) -> list[Event]:
    """Write down the recipients, the events and the parcels, in order of date."""
    recipients = [diary.add(recipient) for recipient in people(diary)]
    offers: dict[str, list[str]] = defaultdict(list)
    for name, packages in table(data.OFFERS):
        offers[name] += cells(packages, ";")
    events = []
    for name, day, state, guests, parcels in table(data.EVENTS):
        event = diary.add(
            Event(
                name=name,
                event_date=date.fromisoformat(day),
                state=EventState[state],
                expected_guests=int(guests) if guests else None,
                notes="Fairy lights, and a thermos of punch. 🎄" if "Christmas" in name else None,
                **stamps(at(OPENING, 17)),
            )
        )
        events.append(event)
        for recipient in diary.random.sample(recipients, int(parcels)):
            package = book.packages[diary.random.choice(offers[name])]
            diary.add(
                EventRecipientPackage(
                    event=event,
                    recipient=recipient,
                    package=package,
                    quantity=2 if diary.is_lucky(0.1) else 1,
                    fulfillment_status=FulfillmentStatus.pending,
                    delivered_at=None,
                    delivered_to=None,
                    notes="No alcohol" if recipient.preferences == ["no alcohol"] else None,
                    **stamps(at(min(event.event_date, CLOSING) - timedelta(days=12))),
                )
            )
    return events


def people(diary: Diary) -> Iterator[Recipient]:
    """Everybody on the list; households share an address."""
    for household, address, members in table(data.RECIPIENTS):
        for name in cells(members, ";"):
            fussy = diary.is_lucky(0.25)
            yield Recipient(
                name=name,
                household=household or None,
                address=f"{address}\nLinden Bay" if address else None,
                preferences=diary.random.choice(data.PREFERENCES) if fussy else None,
                **stamps(at(OPENING, 8)),
            )


def hand_over(diary: Diary, event: Event) -> None:
    """Deliver the parcels of an event; some still wait where the event is under way."""
    for parcel in event.recipient_packages:
        waits = event.state is EventState.in_production and diary.is_lucky(0.4)
        parcel.updated_at = diary.moment(event.event_date, 18)
        if waits:
            parcel.fulfillment_status = FulfillmentStatus.ready
            continue
        minutes = diary.random.randrange(10 * 60)
        noon = datetime.combine(event.event_date, time(8), UTC)
        parcel.fulfillment_status = FulfillmentStatus.delivered
        parcel.delivered_at = noon + timedelta(minutes=minutes)
        parcel.delivered_to = "Left with the neighbours" if diary.is_lucky(0.15) else None


def parcel_counts(event: Event) -> Counter[str]:
    """How many of each package an event needs, by name."""
    counts: Counter[str] = Counter()
    for parcel in event.recipient_packages:
        counts[parcel.package.name] += parcel.quantity
    return counts
