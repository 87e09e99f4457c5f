"""What ./dev bench measures and how it shows it. Python's standard library only."""
