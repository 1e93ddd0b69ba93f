"""Many decimal numbers out of a text at once, eight digits a machine word."""

import numpy as np

_POWERS = 10.0 ** np.arange(9)
_SIGN = np.array([1.0, -1.0])
_BLANK, _MINUS, _POINT, _ZERO = (np.uint8(ord(char)) for char in " -.0")
_MARGIN = 12  # the longest that is looked at beyond the start of a number, less its word


def leading_decimals(
    text: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The decimal number that stands at each of many places of a text.

    Only the usual form is read: perhaps a minus, 1 to 3 digits, a point, 1 to 8 digits, and a
    blank after it. The digits become an integer, divided by a power of ten, so that every value
    is what ``float()`` gives.

    Args:
        text: uint8, ASCII.
        starts: ``[n]`` where each number begins.

    Returns:
        ``[n]`` float64 values, ``[n]`` where each number ends, and ``[n]`` whether it is of the
        usual form; value and end mean nothing where it is not.
    """
    last = len(text) - _MARGIN - 8
    usual = starts <= last
    starts = np.minimum(starts, last)
    if last < 0 or not len(starts):
        return np.zeros(len(starts)), starts, np.zeros(len(starts), bool)
    negative = text[starts] == _MINUS
    first = starts + negative
    point = _find_points(text, first)
    usual &= text[point] == _POINT
    whole, good = _digits_before(text, first, point)
    usual &= good
    values, count = _digits_after(text, point)
    ends = point + 1 + count
    usual &= (count > 0) & (text[ends] == _BLANK)
    scale = _POWERS[count]
    whole *= scale
    values += whole
    values /= scale
    values *= _SIGN[negative.view(np.uint8)]
    return values, ends, usual


def _find_points(text: np.ndarray, first: np.ndarray) -> np.ndarray:
    """``[n]`` where the point after 1 to 3 digits is; somewhere else where there is none."""
    point = first + 1
    for _ in range(2):
        later = np.flatnonzero(text[point] != _POINT)
        if not later.size:
            break
        point[later] += 1
    return point


def _digits_before(text, first, point) -> tuple[np.ndarray, np.ndarray]:
    """``[n]`` the whole number of 1 to 3 digits before each point, and whether all are digits."""
    digit = text[point - 1] - _ZERO
    good = digit < 10
    whole = digit.astype(np.float64)
    for place, weight in ((2, 10.0), (3, 100.0)):
        longer = np.flatnonzero(point - first >= place)
        if longer.size:
            digit = text[point[longer] - place] - _ZERO
            good[longer] &= digit < 10
            whole[longer] += weight * digit
    return whole, good


def _digits_after(text: np.ndarray, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[n]`` the digits after each point as a whole number (float64), ``[n]`` how many (0 to 8).

    A word holds 8 bytes, the first lowest. Digits become 0 to 9, any other byte gets its highest
    bit set; what follows the digits is shifted out, which puts zeros before them; then ones are
    joined to tens, tens to hundreds, thousands to ten millions.
    """
    words = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    word = words[point + 1]
    word ^= np.uint64(0x3030303030303030)
    other = word + np.uint64(0x7676767676767676)
    other |= word
    other &= np.uint64(0x8080808080808080)
    other &= ~other + np.uint64(1)  # the first that is no digit
    other >>= np.uint64(7)
    other -= np.uint64(1)
    other &= np.uint64(0x0101010101010101)
    other *= np.uint64(0x0101010101010101)
    other >>= np.uint64(56)  # the number of bytes before it
    word <<= (np.uint64(8) - other) * np.uint64(8)
    word *= np.uint64(10 * 2**8 + 1)
    word >>= np.uint64(8)
    word &= np.uint64(0x00FF00FF00FF00FF)
    word *= np.uint64(100 * 2**16 + 1)
    word >>= np.uint64(16)
    word &= np.uint64(0x0000FFFF0000FFFF)
    word *= np.uint64(10_000 * 2**32 + 1)
    word >>= np.uint64(32)
    return word.astype(np.float64), other.astype(np.int64)
