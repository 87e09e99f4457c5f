"""Studies: many trainings that a plan names, and what came of them. Standard library only."""
