"""The Jinja environment of the pages. All values are escaped, and an undefined variable is an error."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pmh_jupyter.domain.deadlines import format_local_time
from pmh_jupyter.domain.feedback_text import format_flag, format_message
from pmh_jupyter.domain.labels import ICONS, OUTCOME_LABELS, STATE_LABELS, SUBMISSION_STATE_LABELS

SERVICE_FOLDER = Path(__file__).parent.parent
STATIC_FOLDER = SERVICE_FOLDER / "static"


def make_template_environment() -> Environment:
    """Create the environment for `service/templates`."""
    environment = Environment(
        loader=FileSystemLoader(SERVICE_FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["local_time"] = format_local_time
    environment.filters["inline_code"] = format_inline_code
    environment.filters["message_text"] = format_message
    environment.filters["flag_text"] = format_flag
    environment.globals["icons"] = ICONS
    environment.globals["state_labels"] = STATE_LABELS
    environment.globals["outcome_labels"] = OUTCOME_LABELS
    environment.globals["submission_state_labels"] = SUBMISSION_STATE_LABELS
    return environment


def format_inline_code(text: str) -> Markup:
    """Escape a text and mark up its parts in backticks as code, like the panel."""
    parts = re.split(r"`([^`\n]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))
