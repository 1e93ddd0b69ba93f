"""Many decimal numbers out of a text at once, eight digits a machine word."""

import numpy as np

_POWERS = 10.0 ** np.arange(10)
_SIGN = np.array([1.0, -1.0])
_BLANK, _MINUS, _POINT, _ZERO = (np.uint8(ord(char)) for char in " -.0")
_REACH = 24  # so far is looked beyond the start of a number: sign, 3 digits, point, 0, word, blank
_ZEROS, _OVER_NINE, _HIGH_BITS, _LOW_BITS = (
    np.uint64(byte * 0x0101010101010101) for byte in (0x30, 0x76, 0x80, 0x01))
_JOIN_1, _JOIN_2, _JOIN_4 = (np.uint64(10**n * 2 ** (8 * n) + 1) for n in (1, 2, 4))
_MASK_2, _MASK_4 = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_U1, _U7, _U8, _U16, _U32, _U56 = map(np.uint64, (1, 7, 8, 16, 32, 56))


def leading_decimals(
    text: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The decimal number that stands at each of many places of a text.

    Only the usual form is read: perhaps a minus, 1 to 3 digits, a point, up to 8 digits (9 if the
    first is 0), and a blank after it. The digits become an integer below 2^53, divided by a power
    of ten, so that every value is what ``float()`` gives. Numbers in the last 24 bytes of the text
    are not read.

    Args:
        text: uint8, ASCII.
        starts: ``[n]`` where each number begins.

    Returns:
        ``[n]`` float64 values, ``[n]`` where each number ends, and ``[n]`` whether it is of the
        usual form; value and end mean nothing where it is not.
    """
    last = len(text) - _REACH
    if not len(starts) or last < 0:
        return np.zeros(len(starts)), starts, np.zeros(len(starts), bool)
    late = np.flatnonzero(starts > last) if starts.max() > last else None
    starts = starts if late is None else np.minimum(starts, last)
    negative = text[starts] == _MINUS
    point = starts + negative
    point += 1
    whole, usual = _whole_part(text, point)
    starts = point + 1
    starts += text[starts] == _ZERO  # one zero more fits: numbers below 0.1 have a longer fraction
    values, count = _digits_from(text, starts)
    ends = starts + count
    point += 1
    scale = _POWERS[ends - point]
    whole *= scale
    values += whole
    values /= scale
    values *= _SIGN[negative.view(np.uint8)]
    usual &= text[ends] == _BLANK
    if late is not None:
        usual[late] = False
    return values, ends, usual


def _whole_part(text: np.ndarray, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[n]`` float64 the whole number before the point, ``[n]`` whether it is 1 to 3 digits.

    ``point`` is the second place of each number; where it holds no point, it moves to the one
    that follows.
    """
    whole = text[point - 1] - _ZERO
    usual = whole < 10
    whole = whole.astype(np.float64)
    other = np.flatnonzero(text[point] != _POINT)
    for _ in range(2):
        if not other.size:
            break
        digit = text[point[other]] - _ZERO
        usual[other] &= digit < 10
        whole[other] = whole[other] * 10 + digit
        point[other] += 1
        other = other[text[point[other]] != _POINT]
    usual[other] = False
    return whole, usual


def _digits_from(text: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[n]`` the digits at each place as a whole number (float64), ``[n]`` how many (0 to 8).

    A word holds 8 bytes, the first lowest. Digits become 0 to 9, any other byte gets its highest
    bit set; what follows the digits is shifted out, which puts zeros before them; then ones are
    joined to tens, tens to hundreds, thousands to ten millions.
    """
    words = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    word = words[starts]
    word ^= _ZEROS
    count = word + _OVER_NINE
    count |= word
    count &= _HIGH_BITS
    count &= ~count + _U1  # the first that is no digit
    count >>= _U7
    count -= _U1
    count &= _LOW_BITS
    count *= _LOW_BITS
    count >>= _U56  # the number of bytes before it
    word <<= (_U8 - count) * _U8
    word *= _JOIN_1
    word >>= _U8
    word &= _MASK_2
    word *= _JOIN_2
    word >>= _U16
    word &= _MASK_4
    word *= _JOIN_4
    word >>= _U32
    return word.astype(np.float64), count.view(np.int64)
