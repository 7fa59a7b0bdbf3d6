"""The laws that `diagnose` tries: how one series may follow from another. Needs numpy only.

A law is exact, holds in noise, or bounds or places the difference without predicting it; `choice`
says which wins.
"""
