"""What ./test is made of."""
