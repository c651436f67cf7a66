"""Typed programs with something changed in them.

In: programs, and what is to differ. Out: programs of their own, whole and consistent, or why the front end would not have made them. Must
not know what a change is for, nor any engine.
"""
