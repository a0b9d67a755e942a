"""How fast the engines are, beside the ways in which others would train the same networks."""
