"""Mathematics: arithmetic with working, running totals, word problems."""
