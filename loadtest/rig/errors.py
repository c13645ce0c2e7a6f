"""What can go wrong between the rig and the machine."""

from __future__ import annotations


class RigError(Exception):
    """The rig cannot do its work; the message says what and where, notes say what to do."""


class TargetDiedError(RigError):
    """The target ended or never got ready; the message carries its last log lines."""
