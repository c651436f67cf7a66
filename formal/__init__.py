"""Executable formal specifications of lock, AioContext and bottom-half protocols."""

__version__ = "0.1.0"
