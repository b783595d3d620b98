"""The gates between steps: the approved plan, the proof on the sample, conservation of rows, drift."""
