"""Text worlds: households, quests, laboratories and the like."""
