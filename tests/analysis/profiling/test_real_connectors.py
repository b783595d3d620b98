import pytest

from analysis.profiling import profile_sample
from analysis.profiling.keys import candidate_keys


@pytest.fixture(scope="module")
def profiles(shared, read_connector):
    """Every recorded connector's samples with their profile."""
    folders = sorted((shared / "records").iterdir())
    samples = {folder.name: read_connector(folder.name) for folder in folders}
    return {name: (found, profile_sample(found)) for name, found in samples.items()}


def test_every_connector_is_profiled_with_evidence(profiles):
    for samples, profile in profiles.values():
        assert len(profile.streams) == len(samples) > 0
        assert all(column.evidence for stream in profile.streams for column in stream.columns)


def test_hidden_keys_are_found_again(profiles):
    right = wrong = missed = 0
    for samples, profile in profiles.values():
        for sample, stream in zip(samples, profile.streams, strict=True):
            if not stream.keys or not stream.keys[0].is_declared:
                continue
            found = candidate_keys(sample.stream, sample.records, stream.columns, ())
            right += bool(found) and set(found[0].columns) == set(stream.keys[0].columns)
            wrong += bool(found) and set(found[0].columns) != set(stream.keys[0].columns)
            missed += not found
    assert right / (right + wrong) >= 0.95
    assert right / (right + wrong + missed) >= 0.85


def test_a_payments_columns_are_understood(profiles):
    profile = profiles["stripe"][1]
    charges = next(stream for stream in profile.streams if stream.stream == "charges")
    meanings = {
        path: charges.column((path,)).semantic_type for path in ("amount", "currency", "created", "customer", "status")
    }
    assert meanings == {
        "amount": "minor_units",
        "currency": "currency",
        "created": "epoch_seconds",
        "customer": "identifier",
        "status": "enum",
    }
    pointed_at = {(found.column, found.to_stream) for found in profile.references if found.stream == "charges"}
    assert (("customer",), "customers") in pointed_at
