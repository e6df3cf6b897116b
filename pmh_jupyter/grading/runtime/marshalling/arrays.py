"""Encodes and decodes the arrays, scalars and dtypes of NumPy.

Encoding uses NumPy only if it is already loaded. Decoding imports it, by its fixed name. A dtype must match a fixed pattern, and objects
are encoded one by one: NumPy's own pickles are never read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import get_loaded_numpy, import_numpy
from pmh_jupyter.grading.runtime.marshalling.scalars import NotByValue
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import (
    ValueDecoder,
    ValueEncoder,
    WireFormatError,
    require_fields,
    require_type,
)

__builtins__ = BUILTINS

# Filled when NumPy is loaded: the writer of each type, and the mutable types.
_WRITERS: dict[type, Callable[[ValueEncoder, Any], list[Any]]] = {}
MUTABLE: set[type] = set()
_DTYPE_PATTERN = re.compile(
    r"[<>|=]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SUV]\d{1,9}"
    r"|[mM]8(\[([1-9]\d{0,8})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)"
)
_MAX_CODE_POINT = 0x10FFFF


def find_writer(cls: type) -> Callable[[ValueEncoder, Any], list[Any]] | None:
    """Return the function that encodes values of this type, or None if it is not a NumPy type that is encoded by value."""
    if not _WRITERS and not _load_types():
        return None
    return (_WRITERS.get(cls) if type(cls) is type else None) or (
        _write_dtype if issubclass(cls, get_loaded_numpy().dtype) else None
    )


def _load_types() -> bool:
    """Fill the tables if NumPy is loaded completely (its import may be in progress). Returns whether it is."""
    numpy = get_loaded_numpy()
    if not all(hasattr(numpy, name) for name in ("ndarray", "generic", "dtype", "timedelta64", "ma")):
        return False
    kinds = [numpy.dtype(code).type for code in "?bhilqBHILQefdgFDGSUVmM"]
    _WRITERS.update(dict.fromkeys(kinds, _write_scalar))
    _WRITERS[numpy.ndarray] = write_array
    MUTABLE.add(numpy.ndarray)
    return True


def encode_dtype(dtype: Any) -> Any:
    """Encode a dtype that contains no objects. Raises `NotByValue` for a dtype that is not encoded by value."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["A", encode_dtype(base), list(shape)]
    if dtype.names is not None:
        field_specs = [dtype.fields[name] for name in dtype.names]
        return [
            "V",
            dtype.itemsize,
            list(dtype.names),
            [encode_dtype(p[0]) for p in field_specs],
            [p[1] for p in field_specs],
        ]
    if not _DTYPE_PATTERN.fullmatch(dtype.str) or get_loaded_numpy().dtype(dtype.str) != dtype:
        raise NotByValue
    return dtype.str


def read_dtype(numpy: Any, encoded: Any, depth: int = 0) -> Any:
    """Decode a dtype."""
    if type(encoded) is str and _DTYPE_PATTERN.fullmatch(encoded):
        return numpy.dtype(encoded)
    if type(encoded) is not list or not encoded or depth > 8:
        raise WireFormatError("A dtype is missing.")
    if encoded[0] == "A":
        base, shape = require_fields(encoded, 2)
        return numpy.dtype((read_dtype(numpy, base, depth + 1), _read_shape(shape)))
    if encoded[0] != "V":
        raise WireFormatError("A dtype is missing.")
    size, names, formats, offsets = require_fields(encoded, 4)
    for part in (*require_type(names, list), require_type(formats, list), require_type(offsets, list)):
        require_type(part, str, list)
    kinds = [read_dtype(numpy, part, depth + 1) for part in formats]
    return numpy.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": require_type(size, int)})


def _read_shape(encoded: Any, max_dimensions: int = 32) -> tuple[int, ...]:
    if len(require_type(encoded, list)) > max_dimensions:
        raise WireFormatError("An array has too many dimensions.")
    for size in encoded:
        if require_type(size, int) < 0:
            raise WireFormatError("An array has a negative size.")
    return tuple(encoded)


def write_array(encoder: ValueEncoder, value: Any) -> list[Any]:
    """Encode an array: its dtype, its shape and its bytes in C order. An array of objects is encoded element by element."""
    if value.ndim > encoder.bounds.max_dimensions:
        raise NotByValue
    shape = list(value.shape)
    if value.dtype.kind == "O":
        return ["ao", shape, encoder.encode_items(value.reshape(-1).tolist())]
    encoded = encode_dtype(value.dtype)
    return ["a", encoded, shape, _encode_bytes(value)]


def _encode_bytes(value: Any) -> bytes:
    if value.dtype.names is not None:
        # Padding between the fields may contain unrelated memory, which must not be sent.
        clean = get_loaded_numpy().zeros(value.shape, value.dtype)
        clean[...] = value
        value = clean
    return bytes(value.tobytes())


def _write_scalar(encoder: ValueEncoder, value: Any) -> list[Any]:
    # An empty `numpy.str_` reports zero bytes but returns four.
    as_array = get_loaded_numpy().asarray(value)
    return ["as", encode_dtype(as_array.dtype), _encode_bytes(as_array)]


def _write_dtype(encoder: ValueEncoder, value: Any) -> list[Any]:
    return ["ad", "O" if value.kind == "O" else encode_dtype(value)]


def _read_array(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    dtype, shape, data = require_fields(encoded, 3)
    sizes = _read_shape(shape, decoder.bounds.max_dimensions)
    return _widen(decoder, _build_array(import_numpy(), dtype, sizes, require_type(data, bytes)))


def _build_array(numpy: Any, encoded_dtype: Any, shape: tuple[int, ...], data: bytes) -> Any:
    dtype = read_dtype(numpy, encoded_dtype)
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) or (not dtype.itemsize and count > 1 << 20):
        raise WireFormatError("An array's bytes do not fit its shape.")
    if not data:
        return numpy.zeros(shape, dtype)
    value = numpy.frombuffer(data, dtype).reshape(shape).copy()
    _sanitize(numpy, value)
    return value


def _sanitize(numpy: Any, value: Any) -> None:
    """Normalize invalid bytes: a bool other than 0 and 1 becomes 1. Raises `WireFormatError` for an invalid character."""
    if value.dtype.names is not None:
        for name in value.dtype.names:
            _sanitize(numpy, value[name])
    elif value.dtype.kind == "b":
        bool_bytes = value.view("u1")
        numpy.minimum(bool_bytes, 1, out=bool_bytes)
    elif value.dtype.kind == "U" and value.dtype.itemsize:
        # A flat view of the code points, which works for fields of a structured dtype too.
        code_points = numpy.ascontiguousarray(value).reshape(-1).view(value.dtype.byteorder + "u4")
        if code_points.size and int(code_points.max()) > _MAX_CODE_POINT:
            raise WireFormatError("An array has invalid characters.")


def _read_objects(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    shape, items = require_fields(encoded, 2)
    numpy, sizes, values = (
        import_numpy(),
        _read_shape(shape, decoder.bounds.max_dimensions),
        decoder.decode_items(items),
    )
    if math.prod(sizes) != len(values):
        raise WireFormatError("An array's items do not fit its shape.")
    flat = numpy.empty(len(values), dtype=object)
    # Assigned one by one: NumPy would unpack items that are sequences.
    for index, value in enumerate(values):
        flat[index] = value
    return flat.reshape(sizes)


def _read_scalar(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    dtype, data = require_fields(encoded, 2)
    value = _build_array(import_numpy(), dtype, (), require_type(data, bytes))
    if value.dtype.char == "f" and _is_beyond_single_precision(value) and not decoder.keeps_half_precision():
        return import_numpy().float64(str(value[()]))
    return _widen(decoder, value)[()]


def _is_beyond_single_precision(value: Any) -> bool:
    """Return whether a number of single precision equals distant numbers, because numbers that are compared with it are rounded, too."""
    size = abs(float(value))
    return not 1e-37 < size < 1 << 24


def _widen(decoder: ValueDecoder, value: Any) -> Any:
    """Convert half precision to double precision, with the numbers that are displayed (0.1 stays 0.1), unless half precision is kept."""
    if value.dtype.char != "e" or decoder.keeps_half_precision():
        return value
    numpy = import_numpy()
    return numpy.array([float(str(number)) for number in value.reshape(-1)], dtype=numpy.float64).reshape(value.shape)


def _read_dtype(decoder: ValueDecoder, encoded: list[Any]) -> Any:
    (dtype,) = require_fields(encoded, 1)
    numpy = import_numpy()
    return numpy.dtype(object) if dtype == "O" else read_dtype(numpy, dtype)


READERS: dict[str, Callable[[ValueDecoder, list[Any]], Any]] = {
    "a": _read_array,
    "ao": _read_objects,
    "as": _read_scalar,
    "ad": _read_dtype,
}


def refill(existing: Any, fresh: Any) -> bool:
    """Copy the fresh array into the existing one. Returns False if their types, shapes or dtypes differ."""
    numpy = get_loaded_numpy()
    if numpy is None or type(existing) is not numpy.ndarray or type(fresh) is not numpy.ndarray:
        return False
    if existing.shape != fresh.shape or existing.dtype != fresh.dtype or not existing.flags.writeable:
        return False
    numpy.copyto(existing, fresh)
    return True
