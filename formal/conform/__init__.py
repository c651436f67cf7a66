"""Whether a log of a real run is a run of a model: mappings, logs, and the search for the executions that show exactly a log's events.

In: a program, the text of a mapping, the lines of a log. Out: what became of it, as data and as text. It stands on the interpreter alone;
it must not open files, print, or know an engine.
"""
