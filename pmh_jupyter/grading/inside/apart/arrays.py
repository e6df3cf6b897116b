"""NumPy's arrays, scalars and dtypes as forms and back.

Sending touches NumPy only where it is loaded already. Receiving imports it, by its own fixed name; a dtype is read from a
fixed pattern, and objects are sent one by one: NumPy's own pickles are never read.
"""

from __future__ import annotations

import importlib
import math
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pmh_jupyter.grading.inside.apart.forms import BadForm, exact, fields
from pmh_jupyter.grading.inside.apart.scalars import NotPlain

from .own import BUILTINS

__builtins__ = BUILTINS

if TYPE_CHECKING:
    from pmh_jupyter.grading.inside.apart.codec import Decoder, Encoder

TAGS = frozenset({"a", "ao", "as", "ad"})
# Filled when NumPy is loaded: what writes each type, and which of the types can be changed.
_WRITERS: dict[type, Callable[[Encoder, Any], list[Any]]] = {}
MUTABLE: set[type] = set()
_DTYPE = re.compile(
    r"[<>|=]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SUV]\d{1,9}"
    r"|[mM]8(\[([1-9]\d{0,8})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)"
)
_MOST_CODE_POINT = 0x10FFFF


def writer(kind: type) -> Callable[[Encoder, Any], list[Any]] | None:
    """What writes a value of this type, if it is one of NumPy's that cross by value."""
    if not _WRITERS and not _load():
        return None
    return _WRITERS.get(kind) or (_write_dtype if issubclass(kind, sys.modules["numpy"].dtype) else None)


def _load() -> bool:
    """Learn the types of NumPy, if it is loaded (wholly: it may be in the middle of its import)."""
    numpy = sys.modules.get("numpy")
    if not all(hasattr(numpy, name) for name in ("ndarray", "generic", "dtype", "timedelta64", "ma")):
        return False
    kinds = [numpy.dtype(code).type for code in "?bhilqBHILQefdgFDGSUVmM"]  # type: ignore[union-attr]
    _WRITERS.update(dict.fromkeys(kinds, _write_scalar))
    _WRITERS[numpy.ndarray] = write_array  # type: ignore[union-attr]
    MUTABLE.add(numpy.ndarray)  # type: ignore[union-attr]
    return True


def loaded() -> Any:
    """NumPy, imported if need be."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        raise BadForm("An array came, and NumPy is not installed here.") from None


def dtype_form(dtype: Any) -> Any:
    """The form of a dtype without objects. Raises `NotPlain` for one that does not cross by value."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["A", dtype_form(base), list(shape)]
    if dtype.names is not None:
        parts = [dtype.fields[name] for name in dtype.names]
        return ["V", dtype.itemsize, list(dtype.names), [dtype_form(p[0]) for p in parts], [p[1] for p in parts]]
    if not _DTYPE.fullmatch(dtype.str) or sys.modules["numpy"].dtype(dtype.str) != dtype:
        raise NotPlain
    return dtype.str


def read_dtype(numpy: Any, form: Any, depth: int = 0) -> Any:
    """The dtype of such a form."""
    if type(form) is str and _DTYPE.fullmatch(form):
        return numpy.dtype(form)
    if type(form) is not list or not form or depth > 8:
        raise BadForm("No dtype where one must be.")
    if form[0] == "A":
        base, shape = fields(form, 2)
        return numpy.dtype((read_dtype(numpy, base, depth + 1), _shape(shape)))
    if form[0] != "V":
        raise BadForm("No dtype where one must be.")
    size, names, formats, offsets = fields(form, 4)
    for part in (*exact(names, list), exact(formats, list), exact(offsets, list)):
        exact(part, str, list)
    kinds = [read_dtype(numpy, part, depth + 1) for part in formats]
    return numpy.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": exact(size, int)})


def _shape(form: Any, most: int = 32) -> tuple[int, ...]:
    if len(exact(form, list)) > most:
        raise BadForm("An array has too many dimensions.")
    for size in form:
        if exact(size, int) < 0:
            raise BadForm("An array has a negative size.")
    return tuple(form)


def write_array(out: Encoder, value: Any) -> list[Any]:
    """An array: its dtype, its shape, its bytes in C order; one of objects element by element."""
    if value.ndim > out.bounds.most_dimensions:
        raise NotPlain
    shape = list(value.shape)
    if value.dtype.kind == "O":
        return ["ao", shape, out.items(value.reshape(-1).tolist())]
    form = dtype_form(value.dtype)
    return ["a", form, shape, _bytes(value)]


def _bytes(value: Any) -> bytes:
    if value.dtype.names is not None:
        # What lies between the fields is nobody's business on the other side.
        clean = sys.modules["numpy"].zeros(value.shape, value.dtype)
        clean[...] = value
        value = clean
    return bytes(value.tobytes())


def _write_scalar(out: Encoder, value: Any) -> list[Any]:
    # An empty str_ says it has no bytes, and hands out four.
    whole = sys.modules["numpy"].asarray(value)
    return ["as", dtype_form(whole.dtype), _bytes(whole)]


def _write_dtype(out: Encoder, value: Any) -> list[Any]:
    return ["ad", "O" if value.kind == "O" else dtype_form(value)]


def _read_array(into: Decoder, form: list[Any]) -> Any:
    dtype, shape, data = fields(form, 3)
    return _array(loaded(), dtype, _shape(shape, into.bounds.most_dimensions), exact(data, bytes))


def _array(numpy: Any, dtype_: Any, shape: tuple[int, ...], data: bytes) -> Any:
    dtype = read_dtype(numpy, dtype_)
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) or (not dtype.itemsize and count > 1 << 20):
        raise BadForm("An array's bytes do not fit its shape.")
    if not data:
        return numpy.zeros(shape, dtype)
    value = numpy.frombuffer(data, dtype).reshape(shape).copy()
    _tidy(numpy, value)
    return value


def _tidy(numpy: Any, value: Any) -> None:
    """See to bytes that mean nothing: a bool other than 0 and 1 becomes 1; a character that is none is refused."""
    if value.dtype.names is not None:
        for name in value.dtype.names:
            _tidy(numpy, value[name])
    elif value.dtype.kind == "b":
        raw = value.view("u1")
        numpy.minimum(raw, 1, out=raw)
    elif value.dtype.kind == "U" and value.dtype.itemsize:
        # Characters of any array, one axis more: works for fields of a structure too.
        codes = numpy.ascontiguousarray(value).reshape(-1).view(value.dtype.byteorder + "u4")
        if codes.size and int(codes.max()) > _MOST_CODE_POINT:
            raise BadForm("An array has characters that are none.")


def _read_objects(into: Decoder, form: list[Any]) -> Any:
    shape, items = fields(form, 2)
    numpy, sizes, values = loaded(), _shape(shape, into.bounds.most_dimensions), into.items(items)
    if math.prod(sizes) != len(values):
        raise BadForm("An array's items do not fit its shape.")
    flat = numpy.empty(len(values), dtype=object)
    # One by one: NumPy would look into sequences.
    for place, value in enumerate(values):
        flat[place] = value
    return flat.reshape(sizes)


def _read_scalar(into: Decoder, form: list[Any]) -> Any:
    dtype, data = fields(form, 2)
    return _array(loaded(), dtype, (), exact(data, bytes))[()]


def _read_dtype(into: Decoder, form: list[Any]) -> Any:
    (dtype,) = fields(form, 1)
    numpy = loaded()
    return numpy.dtype(object) if dtype == "O" else read_dtype(numpy, dtype)


_READERS: dict[str, Callable[[Decoder, list[Any]], Any]] = {
    "a": _read_array,
    "ao": _read_objects,
    "as": _read_scalar,
    "ad": _read_dtype,
}


def reader(tag: str) -> Callable[[Decoder, list[Any]], Any] | None:
    """What reads a form of this tag, if it is one of this file's."""
    return _READERS.get(tag)


def refill(known: Any, fresh: Any) -> bool:
    """Put the fresh array's content into the known one, if both are arrays of one shape and dtype; answers whether it did."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(known) is not numpy.ndarray or type(fresh) is not numpy.ndarray:
        return False
    if known.shape != fresh.shape or known.dtype != fresh.dtype or not known.flags.writeable:
        return False
    numpy.copyto(known, fresh)
    return True
