"""What only the chapters need: their plots, their claims, their exercises."""
