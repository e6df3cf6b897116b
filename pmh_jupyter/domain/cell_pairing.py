"""Pairs the cells of two or three versions of a notebook. Pure.

Requirement: a cell that is moved, rewritten or renamed (another grade_id) is paired with its earlier version.

Choices
- grade_id is compared before cell id. JupyterLab gives a copy a new cell id but the same grade_id, so among several cells with one
  grade_id, the one with the same cell id is preferred.
- Cell id is compared before content.
- Graded cells are paired by content only if it is unique, because stubs are alike.

Guarantee: a cell has at most one partner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping

from pmh_jupyter.domain.notebook_json import Json, read_grade_id, read_nbgrader_metadata, read_pmh_metadata

CellPairs = dict[int, int]
_KeyFunction = Callable[[Json], Hashable]


def read_content(cell: Json) -> tuple[str, str, str]:
    """Return the visible content of a cell: type, text, attachments."""
    return cell["cell_type"], cell["source"], repr(cell.get("attachments") or "")


def is_release_owned(cell: Json) -> bool:
    """Return whether only the release may change the cell: a test, a task, or any locked cell."""
    return read_grade_id(cell) is not None and read_nbgrader_metadata(cell).get("solution") is not True


def pair_cells(left: list[Json], right: list[Json]) -> CellPairs:
    """Return the pairs of indices: cells of `left` and their partners in `right`."""
    pairs = _pair_by_identity(left, right)
    pairs |= _pair_by_content(left, right, pairs)
    return pairs


def pair_cells_via_base(
    base: list[Json], mine: list[Json], theirs: list[Json]
) -> tuple[CellPairs, CellPairs, CellPairs]:
    """Return the pairs mine→theirs, mine→base and theirs→base.

    Cells of mine and theirs can also be paired through their partner in base.
    """
    mine_to_base, base_to_theirs = pair_cells(mine, base), pair_cells(base, theirs)
    pairs = _pair_by_identity(mine, theirs)
    paired_theirs = set(pairs.values())
    for m, b in mine_to_base.items():
        t = base_to_theirs.get(b)
        if m not in pairs and t is not None and t not in paired_theirs:
            pairs[m] = t
            paired_theirs.add(t)
    pairs |= _pair_by_content(mine, theirs, pairs)
    theirs_to_base = {t: b for b, t in base_to_theirs.items()}
    # An earlier merge has renamed the cell as the release did, so both have the same partner in base.
    renamed_pairs = {m: theirs_to_base[t] for m, t in pairs.items() if m not in mine_to_base and t in theirs_to_base}
    return pairs, mine_to_base | renamed_pairs, theirs_to_base


def _pair_by_identity(left: list[Json], right: list[Json]) -> CellPairs:
    pairs: CellPairs = {}
    for key in (_make_identity_key, read_grade_id, _read_cell_id):
        pairs |= _pair_by_key(left, right, pairs, key)
    return pairs


def _pair_by_content(left: list[Json], right: list[Json], pairs: Mapping[int, int]) -> CellPairs:
    graded_pairs = _pair_by_key(left, right, pairs, _make_graded_cell_key, unique_only=True)
    return graded_pairs | _pair_by_key(left, right, {**pairs, **graded_pairs}, _make_prose_cell_key)


def _pair_by_key(
    left: list[Json], right: list[Json], pairs: Mapping[int, int], key: _KeyFunction, unique_only: bool = False
) -> CellPairs:
    """Pair cells that have the same key and no partner yet, in order."""
    right_positions = _index_positions_by_key(right, set(pairs.values()), key)
    new_pairs: CellPairs = {}
    for value, left_positions in _index_positions_by_key(left, pairs.keys(), key).items():
        if not unique_only or len(left_positions) == len(right_positions[value]) == 1:
            new_pairs |= zip(left_positions, right_positions[value], strict=False)
    return new_pairs


def _index_positions_by_key(cells: list[Json], paired: Iterable[int], key: _KeyFunction) -> dict[Hashable, list[int]]:
    """Return the indices of the cells with each key, without cells that have a partner or whose key is None."""
    positions: dict[Hashable, list[int]] = defaultdict(list)
    paired_indices = set(paired)
    for index, cell in enumerate(cells):
        if index not in paired_indices and (value := key(cell)) is not None:
            positions[value].append(index)
    return positions


def _make_identity_key(cell: Json) -> Hashable:
    name, cell_id = read_grade_id(cell), cell.get("id")
    return (name, cell_id) if name and cell_id else None


def _read_cell_id(cell: Json) -> Hashable:
    return cell.get("id") or None


def _make_graded_cell_key(cell: Json) -> Hashable:
    return (read_content(cell), is_release_owned(cell)) if read_grade_id(cell) else None


def _make_prose_cell_key(cell: Json) -> Hashable:
    """Return a key of the cell's text; None for a graded cell, an empty cell, and a cell that an earlier merge has added."""
    return (
        read_content(cell)
        if not read_grade_id(cell) and cell["source"].strip() and "merge" not in read_pmh_metadata(cell)
        else None
    )
