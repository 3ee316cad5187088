"""Tests of elab; `tests.harness` holds what several of them share."""
