"""Importers: each turns one layout of files into a plan; `plan_import` chooses among them."""
