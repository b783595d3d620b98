"""An API that says what was written down."""
