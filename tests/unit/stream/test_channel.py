"""Channels and mailboxes: bounded, closable, never losing an item without saying so."""

from __future__ import annotations

import threading

import pytest

from hilgui.stream import Channel, Closed, Mailbox, Overflow


def test_items_come_out_in_the_order_they_went_in() -> None:
    channel: Channel[int] = Channel(4)
    for item in range(3):
        channel.put(item)
    channel.close()
    assert list(channel) == [0, 1, 2]


def test_a_live_channel_gives_back_the_oldest_item_it_had_to_drop() -> None:
    channel: Channel[int] = Channel(2, Overflow.DROP_OLDEST)
    assert [channel.put(item) for item in range(4)] == [None, None, 0, 1]
    assert channel.take_more(10) == [2, 3]


def test_a_full_channel_holds_the_producer_until_there_is_room() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(0)
    through = threading.Event()

    def produce() -> None:
        channel.put(1)
        through.set()

    thread = threading.Thread(target=produce)
    thread.start()
    assert not through.wait(0.05)
    assert channel.take() == 0
    assert through.wait(5)
    thread.join()


@pytest.mark.parametrize("end", ["close", "abort"])
def test_closing_wakes_a_producer_that_waits(end: str) -> None:
    channel: Channel[int] = Channel(1)
    channel.put(0)
    refused = threading.Event()

    def produce() -> None:
        try:
            channel.put(1)
        except Closed:
            refused.set()

    thread = threading.Thread(target=produce)
    thread.start()
    getattr(channel, end)()
    assert refused.wait(5)
    thread.join()


def test_an_aborted_channel_throws_away_what_is_left() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.abort()
    with pytest.raises(Closed):
        channel.take()


def test_a_channel_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Channel(0)


def test_a_mailbox_keeps_the_newest_and_gives_back_the_replaced() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.post(1) is None
    assert box.post(2) == 1
    assert box.take() == 2


def test_the_last_item_of_a_closed_mailbox_can_still_be_taken() -> None:
    box: Mailbox[int] = Mailbox()
    box.post(1)
    box.close()
    assert box.take() == 1
    with pytest.raises(Closed):
        box.take()
    with pytest.raises(Closed):
        box.post(2)
