"""Every figure of speed that is quoted.

``python -m benchmarks`` measures the package beside its peers, which are installed into an
environment of their own (``benchmarks/requirements.txt``) with torch in the version that the book
uses: ``results.json`` holds every time that was taken in the last run, ``RESULTS.md`` the tables
made of them. ``python -m benchmarks.pages`` measures the built book in a browser.
"""
