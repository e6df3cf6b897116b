"""Generates the panel's tables of texts from `domain.feedback_text` and `domain.labels`.

Every text is the literal argument of a call `trans.__('…')`, so that JupyterLab's extraction finds it for translation. Parameters
of a sentence keep their names (`{line}`); `src/template.ts` fills them in after the translation.
"""

from __future__ import annotations

from collections.abc import Mapping

from pmh_jupyter.domain.feedback_text import FEEDBACK_TEXTS, UNKNOWN_CODE_TEXT, expand_template
from pmh_jupyter.domain.labels import ICONS, OUTCOME_LABELS, STATE_LABELS, IconPath, Label
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.verdict import Outcome

_TRANSLATION_IMPORT = "import type { TranslationBundle } from '@jupyterlab/translation';\n"


def make_generated_header(source: str) -> str:
    """Return the first line of a generated file; `source` names the Python definitions that it copies."""
    return f"// Generated from {source} by `python -m pmh_jupyter.wire.typescript`; do not edit.\n"


def generate_feedback_texts() -> str:
    """Return the text of feedbackTexts.ts: a function that converts a message of the grader to a sentence."""
    cases = "".join(_format_case(code, template) for code, template in FEEDBACK_TEXTS.items())
    return (
        make_generated_header("pmh_jupyter/domain/feedback_text.py")
        + _TRANSLATION_IMPORT
        + "\nimport { fillTemplate, hasParams } from './template';\nimport type { MessageReply } from './wire';\n"
        + "\n/** The sentence for a message of the grader; a neutral one for a code that this version does not know. */\n"
        + "export function feedbackText(trans: TranslationBundle, message: MessageReply): string {\n"
        + "  return fillTemplate(feedbackTemplate(trans, message), message.params);\n}\n"
        + "\nfunction feedbackTemplate(trans: TranslationBundle, { code, params }: MessageReply): string {\n"
        + f"  switch (code) {{\n{cases}    default:\n      return trans.__({_quote(UNKNOWN_CODE_TEXT)});\n  }}\n}}\n"
    )


def _format_case(code: str, template: str) -> str:
    lines = [f"    case {_quote(code)}:"]
    for names, sentence in expand_template(template):
        required_names = ", ".join(map(_quote, sorted(names)))
        condition = f"if (hasParams(params, {required_names})) " if names else ""
        lines.append(f"      {condition}return trans.__({_quote(sentence)});")
    return "\n".join(lines) + "\n"


def generate_labels() -> str:
    """Return the text of labels.ts: labels and icons of states and outcomes, and the icons' shapes."""
    icons = "".join(f"  {_quote(name)}: [{', '.join(map(_format_path, paths))}],\n" for name, paths in ICONS.items())
    return (
        make_generated_header("pmh_jupyter/domain/labels.py")
        + _TRANSLATION_IMPORT
        + "\nimport type { ExerciseReply, VerdictReply } from './wire';\n"
        + "\nexport type ProgressState = ExerciseReply['state'];\nexport type Outcome = VerdictReply['outcome'];\n"
        + _format_label_function("stateLabel", "ProgressState", STATE_LABELS)
        + _format_label_function("outcomeLabel", "Outcome", OUTCOME_LABELS)
        + "\n/** One path of an icon on a canvas of 16 by 16 units; a cutout is drawn in the color of the background. */\n"
        + "export interface IconPath {\n  readonly d: string;\n  readonly style: 'line' | 'dashed' | 'fill' | 'cutout';\n}\n"
        + f"\nexport const ICONS = {{\n{icons}}} as const satisfies Record<ProgressState | Outcome, readonly IconPath[]>;\n"
    )


def _format_label_function(
    function: str, key_type: str, labels: Mapping[ProgressState, Label] | Mapping[Outcome, Label]
) -> str:
    parameter = key_type[0].lower() + key_type[1:]
    cases = "".join(
        f"    case {_quote(key)}:\n      return trans.__({_quote(label.text)});\n" for key, label in labels.items()
    )
    return (
        f"\nexport function {function}({parameter}: {key_type}, trans: TranslationBundle): string {{\n"
        f"  switch ({parameter}) {{\n{cases}  }}\n}}\n"
    )


def _format_path(path: IconPath) -> str:
    return f"{{ d: {_quote(path.d)}, style: {_quote(path.style)} }}"


def _quote(text: str) -> str:
    """Return a TypeScript string literal."""
    escaped_text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped_text}'"
