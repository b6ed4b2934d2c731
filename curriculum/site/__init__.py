"""The course as a site that opens from the disk: `make site`, or `python -m curriculum site`.

`build.py` has the command: it writes the pages as text that Sphinx reads, then runs Sphinx over them. `lessons.py` makes the lessons'
pages from notebooks, `measured.py` what the runs of the lessons showed, `operations.py` a page for each operation, `reference.py` the
public names, `parity_pages.py` the comparison with PyTorch. `formulas.py` typesets the formulas of docstrings, `markup.py` writes text so
that it is shown as it is. `conf.py` is Sphinx's configuration, `static/` what pages load: style, scripts, and KaTeX with its fonts.
"""
