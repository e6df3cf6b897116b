from pmh_jupyter.cli.grade.command import register

__all__ = ["register"]
