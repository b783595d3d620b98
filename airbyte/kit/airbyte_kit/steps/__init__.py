"""The steps of the check; each looks at runs and says what it found."""
