"""Models as drawings: the control flow of each body, and who waits for whom.

In: programs. Out: text, Mermaid, SVG. Drawings are made from the text of a model alone: nothing is executed, and both ways of every test
count as possible. Must not print.
"""
