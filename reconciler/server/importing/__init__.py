"""Files that clients send become data rows, predictions, labels and metrics."""
