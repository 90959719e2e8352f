"""Whole applications drawn at random: their models, their schemas and their data.

``spec`` says what an application consists of, ``tables``, ``references``, ``mappings`` and
``schemas`` draw one, ``source`` renders it as Python text (which is what runs, so what a
failure prints is what failed), ``rows`` draws data that its constraints allow, ``running`` holds it
against the rules, ``tally`` counts what was exercised.
"""
