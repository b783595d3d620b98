"""What a sample of real records shows: types, meanings, keys and references, without guessing at names of tools."""

from analysis.profiling.profile import (
    CandidateKey,
    ColumnProfile,
    Path,
    Reference,
    SampleProfile,
    StreamProfile,
    StreamSample,
)
from analysis.profiling.sample import profile_sample, profile_stream

__all__ = [
    "CandidateKey",
    "ColumnProfile",
    "Path",
    "Reference",
    "SampleProfile",
    "StreamProfile",
    "StreamSample",
    "profile_sample",
    "profile_stream",
]
