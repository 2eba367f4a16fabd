"""Other people's engines under our interface: their text, their rewards as credits, their limits stated."""
