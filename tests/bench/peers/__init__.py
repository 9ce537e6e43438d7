"""Services that others would build for the same contract, and what compares ours with them."""
