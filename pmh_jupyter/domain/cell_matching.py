"""Which cells of two or three versions of a notebook are the same cell. Pure.

Requirements: a cell keeps its identity when it is moved, rewritten, or given another grade_id. Choices: grade_id goes before cell id
(Lab gives a copy a new id and leaves it the grade_id, so of several the one with the same id counts), id before content; stubs
look alike, so a graded cell is known by its content only where no other has the same. Guarantee: a cell has at most one partner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping

from pmh_jupyter.domain.ipynb import Json, grade_id, nbgrader, pmh

Pairs = dict[int, int]
_Key = Callable[[Json], Hashable]


def content(cell: Json) -> tuple[str, str, str]:
    """What a reader sees of a cell: kind, text, attachments."""
    return cell["cell_type"], cell["source"], repr(cell.get("attachments") or "")


def is_fixed(cell: Json) -> bool:
    """True for a cell that is the release's alone: a test, a task, anything locked."""
    return grade_id(cell) is not None and nbgrader(cell).get("solution") is not True


def match(left: list[Json], right: list[Json]) -> Pairs:
    """The partner in `right` of each cell of `left` that has one, as indices."""
    pairs = _by_identity(left, right)
    pairs |= _by_content(left, right, pairs)
    return pairs


def match_through(base: list[Json], mine: list[Json], theirs: list[Json]) -> tuple[Pairs, Pairs, Pairs]:
    """mine→theirs, mine→base, theirs→base. Where the names no longer tell, the base knows what mine and theirs were."""
    to_base, from_base = match(mine, base), match(base, theirs)
    pairs = _by_identity(mine, theirs)
    taken = set(pairs.values())
    for m, b in to_base.items():
        t = from_base.get(b)
        if m not in pairs and t is not None and t not in taken:
            pairs[m] = t
            taken.add(t)
    pairs |= _by_content(mine, theirs, pairs)
    their_base = {t: b for b, t in from_base.items()}
    # A cell that an earlier merge renamed as the release did: what the release's was, it was.
    renamed = {m: their_base[t] for m, t in pairs.items() if m not in to_base and t in their_base}
    return pairs, to_base | renamed, their_base


def _by_identity(left: list[Json], right: list[Json]) -> Pairs:
    pairs: Pairs = {}
    for key in (_both, grade_id, _id):
        pairs |= _in_order(left, right, pairs, key)
    return pairs


def _by_content(left: list[Json], right: list[Json], pairs: Mapping[int, int]) -> Pairs:
    graded = _in_order(left, right, pairs, _graded_content, unique=True)
    return graded | _in_order(left, right, {**pairs, **graded}, _prose_content)


def _in_order(left: list[Json], right: list[Json], pairs: Mapping[int, int], key: _Key, unique: bool = False) -> Pairs:
    """Pairs of cells that have the same key and no partner yet: the first with the first, and so on."""
    rights = _positions(right, set(pairs.values()), key)
    found: Pairs = {}
    for value, lefts in _positions(left, pairs.keys(), key).items():
        if not unique or len(lefts) == len(rights[value]) == 1:
            found |= zip(lefts, rights[value], strict=False)
    return found


def _positions(cells: list[Json], taken: Iterable[int], key: _Key) -> dict[Hashable, list[int]]:
    """Where each key is; cells for which it is None have none."""
    positions: dict[Hashable, list[int]] = defaultdict(list)
    out = set(taken)
    for index, cell in enumerate(cells):
        if index not in out and (value := key(cell)) is not None:
            positions[value].append(index)
    return positions


def _both(cell: Json) -> Hashable:
    name, identity = grade_id(cell), cell.get("id")
    return (name, identity) if name and identity else None


def _id(cell: Json) -> Hashable:
    return cell.get("id") or None


def _graded_content(cell: Json) -> Hashable:
    return (content(cell), is_fixed(cell)) if grade_id(cell) else None


def _prose_content(cell: Json) -> Hashable:
    """None for a graded cell, for an empty one, and for what an earlier merge put there."""
    return content(cell) if not grade_id(cell) and cell["source"].strip() and "merge" not in pmh(cell) else None
