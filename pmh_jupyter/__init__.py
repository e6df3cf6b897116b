"""Python Mastery Hub for Jupyter: a JupyterHub as a course platform."""

__version__ = "0.1.0"
