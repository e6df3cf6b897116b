from pmh_jupyter.cli.course.command import register

__all__ = ["register"]
