"""Strict YAML documents: every mistake of a file in one report, each with its place and a hint."""
